// The way back into a match whose seat is gone: asks for one until there is one, or until no asking helps.
//
// Invariant: who was in a match that people share by its link is never put into another one.
import { ApiError, Backoff, type Join } from '@tickwire/client';
import type { PlayRequest } from './seats';
import type { StoredSeat } from './storage';

/** The match that is looked for. */
export type LostMatch = Pick<StoredSeat, 'matchId' | 'code' | 'via' | 'settings'>;

/** What was found. */
export type Found =
  /** The same match. */
  | 'same'
  /** The match had ended, and goes on under the same link. */
  | 'recreated'
  /** Another match. */
  | 'another';

export interface WayBack {
  readonly join: Join;
  readonly found: Found;
}

/** The link is what its players have in common: they meet again under it. */
export function isShared({ code, via, settings }: LostMatch): boolean {
  return code !== '' && (settings?.private === true || via !== 'quick');
}

export interface SearchOptions {
  readonly lost: LostMatch;
  readonly take: (request: PlayRequest) => Promise<Join>;
  /** Told after each failure; the next try follows by itself. */
  readonly onTrouble: (error: unknown) => void;
  readonly backoff?: Backoff;
  /** Pauses before the first try, too. */
  readonly waitFirst?: boolean;
}

/** Not sooner than this after a failure. */
const WAIT_MIN_MS = 300;
/** Refusals of a match that let another one be looked for. */
const NO_SEAT_THERE = new Set(['match_not_found', 'match_lost', 'match_full', 'not_found', 'bad_request']);

/** One search. It goes on until it has found something or is stopped. */
export class Search {
  private readonly options: SearchOptions;
  private readonly backoff: Backoff;
  private stopped = false;
  /** Ends a wait, or gives up a request that hangs. */
  private next: (() => void) | null = null;

  constructor(options: SearchOptions) {
    this.options = options;
    this.backoff = options.backoff ?? new Backoff({ baseMs: 1_000, maxMs: 8_000 });
  }

  /** Null if it was stopped. */
  async run(): Promise<WayBack | null> {
    if (this.options.waitFirst === true) await this.wait(this.backoff.next());
    while (!this.isStopped()) {
      const found = await this.tryOnce();
      if (this.isStopped()) return null;
      if (found) return found;
    }
    return null;
  }

  /** Asks again at once, also if the last request still hangs. */
  retryNow(): void {
    this.next?.();
  }

  stop(): void {
    this.stopped = true;
    this.next?.();
  }

  private isStopped(): boolean {
    return this.stopped;
  }

  private async tryOnce(): Promise<WayBack | null> {
    try {
      return await Promise.race([this.ask(), this.skipped()]);
    } catch (error) {
      if (this.stopped) return null;
      this.options.onTrouble(error);
      const retryAfterMs = error instanceof ApiError ? (error.retryAfterS ?? 0) * 1_000 : 0;
      await this.wait(Math.max(this.backoff.next(), retryAfterMs, WAIT_MIN_MS));
      return null;
    }
  }

  private async ask(): Promise<WayBack> {
    const { lost, take } = this.options;
    if (isShared(lost)) {
      const join = await take({ kind: 'join', idOrCode: lost.code, recreate: lost.settings });
      return { join, found: join.match.id === lost.matchId ? 'same' : 'recreated' };
    }
    try {
      return { join: await take({ kind: 'join', idOrCode: lost.matchId }), found: 'same' };
    } catch (error) {
      if (!(error instanceof ApiError) || !NO_SEAT_THERE.has(error.code)) throw error;
      return { join: await take({ kind: 'quick' }), found: 'another' };
    }
  }

  private skipped(): Promise<null> {
    return new Promise((resolve) => {
      this.next = () => {
        resolve(null);
      };
    });
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.next = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
