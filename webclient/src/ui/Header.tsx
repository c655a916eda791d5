import type { JSX } from 'preact';
import type { Theme } from '../state/settings';
import { useKit } from './context';
import { Icon, Mark } from './icons';

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

export function Header(): JSX.Element {
  const { store, controller } = useKit();
  const theme = store.settings.value.theme;
  return (
    <header class="top">
      <h1 class="brand">
        <Mark />
        parley
      </h1>
      <button
        type="button"
        class="quiet round"
        id="theme-toggle"
        data-testid="theme-toggle"
        aria-label={`Theme: ${theme}. Change to ${next[theme]}.`}
        title={`Theme: ${theme}`}
        onClick={() => controller.set({ theme: next[theme] })}
      >
        <Icon name={theme} />
      </button>
    </header>
  );
}
