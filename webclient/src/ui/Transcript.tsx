import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { cutText, type Item } from '../state/conversation';
import { formatMs, waits } from '../state/turns';
import { useKit } from './context';

const names = { user: 'You', assistant: 'Parley', note: '' } as const;
const suggestions = ['What time is it?', 'What can you do?', 'What is 17 percent of 240?', 'Set a timer for one minute'];

/** The words of a reply: heard, still to come, or never heard because it was cut off. */
function Words({ item }: { item: Item }): JSX.Element {
  if (item.interrupted) {
    const words = cutText(item);
    return (
      <>
        {words}
        {words !== '' && '—'}
        <span class="tag">{words !== '' ? 'interrupted' : 'stopped before it was heard'}</span>
      </>
    );
  }
  const heard = item.heard ?? item.text.length;
  return (
    <>
      <span class="heard">{item.text.slice(0, heard)}</span>
      <span class="ahead">{item.text.slice(heard)}</span>
      {item.failed && item.role === 'assistant' && <span class="tag">incomplete</span>}
    </>
  );
}

function Row({ item, wait }: { item: Item; wait: number | undefined }): JSX.Element {
  // Half-said words are for the eye; a screen reader is given each line once, when it is final.
  return (
    <li class={`row row-${item.role}${item.failed ? ' row-failed' : ''}`} data-item={item.id} data-role={item.role} data-final={item.final} aria-hidden={item.final ? undefined : true}>
      {item.role !== 'note' && <span class="who">{names[item.role]}</span>}
      <p class={item.final ? 'words' : 'words partial'}>
        {item.text === '' ? <span class="dots">…</span> : <Words item={item} />}
        {wait !== undefined && wait > 0 && (
          <span class="wait" title="From the end of your words to the start of the answer">
            {formatMs(wait)}
          </span>
        )}
      </p>
    </li>
  );
}

function Welcome(): JSX.Element {
  const { store, controller } = useKit();
  const builtin = store.config.value?.engines.llm === 'builtin';
  return (
    <div class="welcome">
      <p class="welcome-line">{store.phase.value === 'live' ? 'The line is open.' : 'Call, and ask something.'}</p>
      {builtin && <p class="welcome-more">The built-in assistant answers without any network: the time, sums, units, timers, spelling.</p>}
      <ul class="chips" aria-label="Things to ask">
        {suggestions.map((words) => (
          <li key={words}>
            <button type="button" class="chip" onClick={() => controller.sendText(words)}>
              {words}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Transcript(): JSX.Element {
  const { store } = useKit();
  const { items, turns } = store.conversation.value;
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const toEnd = (): void => {
    if (box.current && follow.current && store.conversation.peek().items.length > 0) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(toEnd);
  useEffect(() => {
    const observer = new ResizeObserver(toEnd);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = (): void => {
    const e = box.current;
    if (e) follow.current = e.scrollHeight - e.scrollTop - e.clientHeight < 48;
  };
  const waitOf = waits(items, turns);
  return (
    <div class="transcript-frame">
      <h2 class="hidden">Conversation</h2>
      <div ref={box} class="transcript" id="transcript" data-testid="transcript" role="log" aria-label="Conversation" aria-live="polite" aria-relevant="additions" tabIndex={0} onScroll={onScroll}>
        {items.length === 0 ? (
          <Welcome />
        ) : (
          <ol class="rows">
            {items.map((item) => (
              <Row key={`${item.id}${item.final ? '' : ':partial'}`} item={item} wait={waitOf.get(item.id)} />
            ))}
          </ol>
        )}
      </div>
    </div>
  );
}
