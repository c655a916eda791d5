import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { statusWords } from '../state/status';
import { useKit } from './context';

/** Seconds until the next try, counted down. */
function Countdown({ until }: { until: number }): JSX.Element | null {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1000);
  return <p class="status-more">{seconds > 0 ? `Next try in ${seconds} s. Trying to bring the conversation back.` : 'Trying to bring the conversation back.'}</p>;
}

export function StatusLine(): JSX.Element {
  const { store } = useKit();
  const status = store.status.value;
  const words = statusWords(status, {
    mode: store.settings.value.mode,
    micOn: store.mic.value === 'on',
    micAsking: store.mic.value === 'asking',
  });
  const muted = store.muted.value && (status === 'listening' || status === 'hearing');
  return (
    <div class="status-box">
      <p class="status" id="status" data-testid="status" data-state={status} role="status">
        {muted ? 'You are muted' : words}
      </p>
      {status === 'reconnecting' && <Countdown until={store.retryAt.value} />}
      {status === 'ended' && store.ending.value !== '' && <p class="status-more">{store.ending.value}</p>}
    </div>
  );
}
