const audible = 0.003; // about -50 dBFS: above the codec's comfort noise, below any voice
const pollMs = 5;
const giveUpMs = 4_000;

/**
 * Waits for the first audible sample. `read` gives the level now. Calls `found`
 * with the wait in ms, at most once; a reply that stays silent for 4 s is not
 * reported. Returns a function that stops waiting.
 */
export function onset(read: () => number, found: (delayMs: number) => void, now: () => number = () => performance.now()): () => void {
  const from = now();
  const check = (): void => {
    const waited = now() - from;
    if (read() >= audible) {
      clearInterval(timer);
      found(Math.round(waited));
    } else if (waited > giveUpMs) {
      clearInterval(timer);
    }
  };
  const timer = setInterval(check, pollMs);
  return () => clearInterval(timer);
}
