import type { JSX } from 'preact';
import { useKit } from './context';

export function Engines(): JSX.Element | null {
  const { store } = useKit();
  const config = store.config.value;
  if (!config) return null;
  const { stt, llm, tts } = config.engines;
  const rows = [
    ['Hears with', stt],
    ['Thinks with', llm],
    ['Speaks with', tts],
  ] as const;
  return (
    <section class="panel" aria-labelledby="engines-title" data-testid="engines">
      <div class="panel-head">
        <h2 id="engines-title">Engines</h2>
        {config.version !== '' && <span class="panel-note">parley {config.version}</span>}
      </div>
      <dl class="engines">
        {rows.map(([does, name]) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>{name || 'nothing yet'}</dd>
          </div>
        ))}
      </dl>
      {llm === 'builtin' && (
        <p class="panel-empty">
          No language model is connected: the built-in assistant answers. Start parley with <code>OPENAI_BASE_URL</code> or <code>OPENAI_API_KEY</code> set to use a real one.
        </p>
      )}
    </section>
  );
}
