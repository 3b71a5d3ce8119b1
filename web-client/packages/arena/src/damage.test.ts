import { describe, expect, it } from 'vitest';
import { DamageTally, FLOAT_MS } from './damage';

const sums = (tally: DamageTally, nowMs: number): number[] => tally.shown(nowMs).map((number) => number.sum);

describe('DamageTally', () => {
  it('adds up what one fighter takes, and keeps others apart', () => {
    const tally = new DamageTally();
    tally.add(2, 16, 0);
    tally.add(3, 24, 50);
    tally.add(2, 16, 300);
    expect(sums(tally, 300)).toEqual([32, 24]);
  });

  it('lets a number float off when the hits stop, and begins another', () => {
    const tally = new DamageTally();
    tally.add(2, 16, 0);
    expect(tally.shown(1_199)[0]?.floatsMs).toBeNull();
    expect(tally.shown(1_200)[0]?.floatsMs).toBe(1_200);
    tally.add(2, 16, 1_300);
    expect(sums(tally, 1_300)).toEqual([16, 16]);
    expect(sums(tally, 1_200 + FLOAT_MS)).toEqual([16]);
  });

  it('finishes the number of one who falls', () => {
    const tally = new DamageTally();
    tally.add(2, 16, 0);
    tally.finish(2, 10);
    tally.add(2, 8, 20);
    expect(tally.shown(20).map(({ sum, floatsMs }) => [sum, floatsMs])).toEqual([
      [16, 10],
      [8, null],
    ]);
  });

  it('keeps only so many', () => {
    const tally = new DamageTally();
    for (let victim = 0; victim < 500; victim += 1) tally.add(victim, 1, 0);
    expect(tally.shown(0)).toHaveLength(32);
    expect(tally.shown(0)[0]?.victim).toBe(468);
  });
});
