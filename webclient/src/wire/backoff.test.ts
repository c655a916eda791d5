import { expect, it } from 'vitest';
import { backoff } from './backoff';

it.each([
  [0, 250],
  [1, 500],
  [2, 1000],
  [4, 4000],
  [5, 5000],
  [60, 5000],
])('try %i waits about %i ms', (attempt, ms) => {
  expect(backoff(attempt, 0.5)).toBe(ms);
  expect(backoff(attempt, 0)).toBe(Math.round(ms * 0.75));
  expect(backoff(attempt, 0.999)).toBeLessThanOrEqual(ms * 1.25);
});
