import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { filterEntries, type Entry } from '../state/eventlog';
import { useKit } from './context';

const shownAtOnce = 120;

function Row({ entry }: { entry: Entry }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary class={`event event-${entry.direction}`}>
          <span class="event-time">{(entry.at / 1000).toFixed(3)}</span>
          <span class="event-arrow" role="img" aria-label={entry.direction === 'in' ? 'received' : 'sent'}>
            {entry.direction === 'in' ? '←' : '→'}
          </span>
          <span class="event-type">{entry.event.type}</span>
          {entry.via === 'socket' && <span class="tag">socket</span>}
        </summary>
        {open && (
          <pre tabIndex={0} aria-label={`${entry.event.type} as JSON`}>
            {JSON.stringify(entry.event, null, 2)}
          </pre>
        )}
      </details>
    </li>
  );
}

function Log(): JSX.Element {
  const { store } = useKit();
  const [query, setQuery] = useState('');
  const [deltas, setDeltas] = useState(false);
  const entries = filterEntries(store.log.value, query, deltas).slice(-shownAtOnce).reverse();
  return (
    <>
      <div class="log-tools">
        <label class="hidden" for="log-filter">
          Filter events
        </label>
        <input id="log-filter" type="search" placeholder="Filter" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />
        <label class="check">
          <input type="checkbox" checked={deltas} onChange={(e) => setDeltas(e.currentTarget.checked)} />
          Deltas
        </label>
      </div>
      {entries.length === 0 ? (
        <p class="panel-empty">{store.log.value.length === 0 ? 'Nothing yet.' : 'Nothing matches.'}</p>
      ) : (
        <ol class="log" aria-label="Protocol events, newest first">
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
    </>
  );
}

/** The raw protocol, for those who want to see it. */
export function Events(): JSX.Element {
  const { store } = useKit();
  const [open, setOpen] = useState(false);
  return (
    <section class="panel" aria-label="Events">
      <details data-testid="events-panel" onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary class="panel-summary">
          <h2>Events</h2>
          <span class="panel-note">{store.log.value.at(-1)?.id ?? 0}</span>
        </summary>
        {open && <Log />}
      </details>
    </section>
  );
}
