import { describe, expect, it } from 'vitest';
import type { AdminMatch } from './admin-api';
import { ageOf, isDormant, isSlow, overrunsOften, seats } from './figures';

const MATCH: AdminMatch = {
  id: 'a',
  code: 'K7Q2MD',
  mode: 'ffa',
  phase: 'live',
  tick: 3_000,
  tick_rate: 30,
  players: 2,
  held: 2,
  bots: 6,
  spectators: 0,
  max_players: 16,
  tick_us_p50: 200,
  tick_us_p99: 900,
  overruns: 0,
  late_p99_us: 400,
  bytes_per_s: 9_000,
  age_s: 100,
};

describe('a match', () => {
  it('is dormant while nobody is connected or watches', () => {
    expect(isDormant(MATCH)).toBe(false);
    expect(isDormant({ ...MATCH, players: 0 })).toBe(true);
    expect(isDormant({ ...MATCH, players: 0, spectators: 1 })).toBe(false);
  });

  it('is slow when a time takes half of its interval, and not while it starts or sleeps', () => {
    expect(isSlow(MATCH, 16_000)).toBe(false);
    expect(isSlow(MATCH, 17_000)).toBe(true);
    expect(isSlow({ ...MATCH, tick: 200 }, 40_000), 'the slowest of few ticks').toBe(false);
    expect(isSlow({ ...MATCH, players: 0 }, 40_000), 'nothing runs').toBe(false);
  });

  it('overruns often from the second tick in a thousand on', () => {
    expect(overrunsOften({ ...MATCH, overruns: 3 })).toBe(false);
    expect(overrunsOften({ ...MATCH, overruns: 4 })).toBe(true);
    expect(overrunsOften({ ...MATCH, tick: 100, overruns: 4 }), 'it has just started').toBe(false);
  });

  it('counts the connected, and the seats kept for others beside them', () => {
    expect(seats(MATCH)).toBe('2 / 16');
    expect(seats({ ...MATCH, held: 3 })).toBe('2 (+1) / 16');
  });
});

describe('ageOf', () => {
  it('says how old the figures are once they are', () => {
    expect(ageOf(null, 9_000)).toEqual({ stale: false, text: '' });
    expect(ageOf(1_000, 2_500)).toEqual({ stale: false, text: 'Live' });
    expect(ageOf(1_000, 8_400)).toEqual({ stale: true, text: 'Last answer 7 s ago' });
    expect(ageOf(0, 125_000).text).toBe('Last answer 2 min 5 s ago');
  });
});
