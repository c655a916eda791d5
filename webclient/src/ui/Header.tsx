import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { plainText } from '../state/conversation';
import type { Theme } from '../state/settings';
import { copyText } from './clipboard';
import { useKit } from './context';
import { Icon, Mark } from './icons';

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

function Copy(): JSX.Element {
  const { store } = useKit();
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    setDone(await copyText(plainText(store.conversation.value)));
    setTimeout(() => setDone(false), 2000);
  };
  return (
    <>
      <span class="copied" role="status">
        {done ? 'Copied' : ''}
      </span>
      <button type="button" class="quiet round" data-testid="copy-button" aria-label="Copy the conversation" title="Copy the conversation" onClick={() => void copy()}>
        <Icon name={done ? 'check' : 'copy'} />
      </button>
    </>
  );
}

export function Header(): JSX.Element {
  const { store, controller } = useKit();
  const theme = store.settings.value.theme;
  return (
    <header class="top">
      <h1 class="brand">
        <Mark />
        parley
      </h1>
      {store.conversation.value.items.length > 0 && <Copy />}
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
