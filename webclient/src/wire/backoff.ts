/**
 * How long to wait before try number `attempt` (from 0): doubling from 250 ms
 * to 5 s, spread by ±25 % so that a room full of pages does not come back at
 * the same instant. `random` is in [0, 1).
 */
export function backoff(attempt: number, random: number): number {
  const base = Math.min(5000, 250 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.75 + 0.5 * random));
}
