import { expect, it } from 'vitest';
import { Backoff } from './backoff';

it('doubles its ceiling up to the most, and starts over after a success', () => {
  const backoff = new Backoff({ baseMs: 500, maxMs: 3_000, random: () => 1 });
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
    500, 1_000, 2_000, 3_000, 3_000,
  ]);
  backoff.reset();
  expect(backoff.attempt).toBe(0);
  expect(backoff.next()).toBe(500);
});

it('spreads over the whole range', () => {
  const backoff = new Backoff({ baseMs: 1_000, maxMs: 1_000 });
  const waits = Array.from({ length: 200 }, () => backoff.next());
  expect(Math.min(...waits)).toBeLessThan(250);
  expect(Math.max(...waits)).toBeGreaterThan(750);
});
