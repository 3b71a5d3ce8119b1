import { describe, expect, it } from 'vitest';
import { Freshness } from './freshness';

/** Asks every 100 ms from `fromMs` to `toMs`; returns the last answer. */
function ask(freshness: Freshness, snapshotMs: (nowMs: number) => number | null, fromMs: number, toMs: number): number {
  let stale = 0;
  for (let ms = fromMs; ms <= toMs; ms += 100) stale = freshness.update(snapshotMs(ms), ms);
  return stale;
}

describe('Freshness', () => {
  it('is little while snapshots come, and counts when they stop', () => {
    const freshness = new Freshness();
    expect(ask(freshness, (ms) => ms - 20, 1_000, 5_000)).toBe(20);
    expect(ask(freshness, () => 4_980, 5_100, 6_500)).toBeCloseTo(1_520);
    expect(ask(freshness, (ms) => ms - 20, 6_600, 6_700)).toBe(20);
  });

  it('counts from the start where none ever came', () => {
    expect(ask(new Freshness(), () => null, 1_000, 3_000)).toBe(2_000);
  });

  it('does not count sleep', () => {
    const freshness = new Freshness();
    ask(freshness, (ms) => ms - 20, 1_000, 2_000);
    expect(freshness.update(1_980, 3_600_000)).toBeLessThan(500);
  });

  it('starts over with another session', () => {
    const freshness = new Freshness();
    ask(freshness, () => null, 1_000, 3_000);
    freshness.restart();
    expect(freshness.update(null, 9_000)).toBe(0);
  });
});
