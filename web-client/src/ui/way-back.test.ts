import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, Backoff, type Join } from '@tickwire/client';
import type { PlayRequest } from './seats';
import { isShared, Search, type LostMatch, type WayBack } from './way-back';

const SETTINGS = { mode: 'ffa', private: true, lobby: true, bots: false };
const PRIVATE: LostMatch = { matchId: 'm1', code: 'K7Q2MD', via: 'create', settings: SETTINGS };
const PUBLIC: LostMatch = { matchId: 'm1', code: 'K7Q2MD', via: 'quick', settings: { ...SETTINGS, private: false } };

/** The id of a match, a refusal, or nothing at all. */
type Answer = string | { readonly refused: string; readonly retryAfterS?: number } | null;

/** A search of which the server gives these answers: the id of a match, or a refusal. */
class Bench {
  readonly asked: PlayRequest[] = [];
  readonly troubles: string[] = [];
  readonly search: Search;
  result: WayBack | null | undefined = undefined;

  constructor(lost: LostMatch, answers: readonly Answer[], waitFirst = false) {
    const left = [...answers];
    this.search = new Search({
      lost,
      take: (request) => {
        this.asked.push(request);
        return this.answer(left.length > 0 ? (left.shift() ?? null) : { refused: 'unreachable' });
      },
      onTrouble: (error) => this.troubles.push(error instanceof ApiError ? error.code : String(error)),
      backoff: new Backoff({ baseMs: 1_000, maxMs: 1_000, random: () => 1 }),
      waitFirst,
    });
    void this.search.run().then((result) => {
      this.result = result;
    });
  }

  private answer(answer: Answer): Promise<Join> {
    if (answer === null) return new Promise(() => undefined);
    if (typeof answer === 'object') {
      return Promise.reject(new ApiError(answer.refused, 0, '', answer.retryAfterS ?? null));
    }
    return Promise.resolve({ match: { id: answer } } as Join);
  }
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the way back', () => {
  it('of a private match is its link, whatever happened to it', async () => {
    const bench = new Bench(PRIVATE, [{ refused: 'unreachable' }, { refused: 'match_full' }, 'm2']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(bench.result).toMatchObject({ found: 'recreated' });
    expect(bench.asked).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'join', idOrCode: 'K7Q2MD', recreate: SETTINGS })),
    );
    expect(bench.troubles).toEqual(['unreachable', 'match_full']);
  });

  it('of a match that was come to by its link is the link, too', () => {
    expect(isShared({ ...PUBLIC, via: 'link' })).toBe(true);
    expect(isShared({ ...PUBLIC, via: 'create' })).toBe(true);
    expect(isShared(PUBLIC)).toBe(false);
    expect(isShared({ ...PUBLIC, settings: null })).toBe(false);
  });

  it('of a public match is the match itself, while it lives', async () => {
    const bench = new Bench(PUBLIC, ['m1']);
    await settle();
    expect(bench.result).toMatchObject({ found: 'same' });
    expect(bench.asked).toEqual([{ kind: 'join', idOrCode: 'm1' }]);
  });

  it.each(['match_not_found', 'match_lost', 'match_full'])(
    'of a public match is any other after %s',
    async (refused) => {
      const bench = new Bench(PUBLIC, [{ refused }, 'm2']);
      await settle();
      expect(bench.result).toMatchObject({ found: 'another' });
      expect(bench.asked.map((request) => request.kind)).toEqual(['join', 'quick']);
    },
  );

  it('waits as long as the server asks for', async () => {
    const bench = new Bench(PRIVATE, [{ refused: 'draining', retryAfterS: 5 }, 'm1']);
    await vi.advanceTimersByTimeAsync(4_900);
    expect(bench.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(bench.result).toMatchObject({ found: 'same' });
  });

  it('does not hurry where the last seat was never come into', async () => {
    const bench = new Bench(PUBLIC, ['m1'], true);
    await vi.advanceTimersByTimeAsync(900);
    expect(bench.asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(bench.result).toMatchObject({ found: 'same' });
  });

  it('asks again at once when told to, while it waits and while a request hangs', async () => {
    const bench = new Bench(PRIVATE, [{ refused: 'draining', retryAfterS: 5 }, null, 'm1']);
    await settle();
    bench.search.retryNow();
    await settle();
    expect(bench.asked).toHaveLength(2);
    expect(bench.result).toBeUndefined();
    bench.search.retryNow();
    await settle();
    expect(bench.result).toMatchObject({ found: 'same' });
  });

  it.each<[string, readonly Answer[]]>([
    ['waits', [{ refused: 'unreachable' }]],
    ['asks', [null]],
  ])('ends when it is stopped while it %s', async (_, answers) => {
    const bench = new Bench(PRIVATE, answers);
    await settle();
    bench.search.stop();
    await settle();
    expect(bench.result).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bench.asked).toHaveLength(1);
  });
});
