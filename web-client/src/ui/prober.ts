// Finds out what stands between the page and the game: browsers say nothing of why a WebSocket failed, the API does.
//
// Invariant: one question at a time, and pauses between them that grow, so that a server in trouble is not asked to death.
import { type Api, ApiError, Backoff, type Build } from '@tickwire/client';
import { problemSentence } from '@tickwire/ui';
import { GAME_NAME } from './game';

/** What is known of the server. */
export type Finding =
  | { readonly kind: 'unknown' }
  /** The device itself has no network. */
  | { readonly kind: 'offline' }
  | { readonly kind: 'no_answer' }
  /** Whatever is wrong, the server is there and would take this page. */
  | { readonly kind: 'answers' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'refused_origin' }
  /** The server is there, and lets this page in after a while. */
  | { readonly kind: 'must_wait' }
  /** The operator does not let this player play, in the server's own words. */
  | { readonly kind: 'banned'; readonly sentence: string }
  /** Something in front of the server takes the WebSocket out of the handshake. */
  | { readonly kind: 'upgrade_lost' }
  | { readonly kind: 'other_game'; readonly game: string }
  | { readonly kind: 'other_version'; readonly schema: string };

export interface ProberOptions {
  readonly api: Pick<Api, 'info' | 'connectCheck'>;
  /** What the page was built for; null while its module is not there. */
  readonly build: () => Build | null;
  readonly online?: () => boolean;
  readonly now?: () => number;
  readonly backoff?: Backoff;
}

const WAIT_MIN_MS = 1_500;
const UNKNOWN: Finding = { kind: 'unknown' };

export class Prober {
  private readonly options: ProberOptions;
  private readonly now: () => number;
  private readonly backoff: Backoff;
  private current: Finding = UNKNOWN;
  private answersMs: number | null = null;
  private asking = false;
  private nextMs = 0;
  /** Answers to questions from before a `clear` are not heard. */
  private round = 0;

  constructor(options: ProberOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.backoff = options.backoff ?? new Backoff({ baseMs: 3_000, maxMs: 15_000 });
  }

  get finding(): Finding {
    return this.isOffline() ? { kind: 'offline' } : this.current;
  }

  /** What else was heard of the server, as from a call that failed. */
  set finding(finding: Finding) {
    this.current = finding;
    if (finding.kind !== 'answers') this.answersMs = null;
    else this.answersMs ??= this.now();
  }

  /** Since when it is known that the server answers and would take this page; null if that is not known. */
  get answersSinceMs(): number | null {
    return this.finding.kind === 'answers' ? this.answersMs : null;
  }

  /** Call while things are not as they should be, as often as you like. */
  look(): void {
    if (this.asking || this.now() < this.nextMs || this.isOffline()) return;
    void this.ask();
  }

  /** The next `look` asks. */
  soon(): void {
    this.nextMs = 0;
  }

  /** Things are as they should be: what was wrong before is past. */
  clear(): void {
    this.round += 1;
    this.asking = false;
    this.finding = UNKNOWN;
    this.nextMs = 0;
    this.backoff.reset();
  }

  private async ask(): Promise<void> {
    const { round } = this;
    this.asking = true;
    const finding = await this.find();
    if (round !== this.round) return;
    this.asking = false;
    this.finding = finding;
    this.nextMs = this.now() + Math.max(WAIT_MIN_MS, this.backoff.next());
  }

  private async find(): Promise<Finding> {
    const { api, build } = this.options;
    try {
      const { game, protocol, schema } = await api.info();
      if (game !== GAME_NAME) return { kind: 'other_game', game };
      const own = build();
      if (own && (own.schema !== schema || own.protocol !== protocol)) return { kind: 'other_version', schema };
    } catch (error) {
      // A page of another origin may read nothing but the check's answer if it is refused.
      if (!isSilence(error)) return findingOf(error);
    }
    try {
      await api.connectCheck();
      return { kind: 'answers' };
    } catch (error) {
      // The socket was refused because of what this page sent before.
      return error instanceof ApiError && error.code === 'rate_limited' ? { kind: 'must_wait' } : findingOf(error);
    }
  }

  private isOffline(): boolean {
    return !(this.options.online ?? (() => navigator.onLine))();
  }
}

/** What a failed call says of the server. */
export function findingOf(error: unknown): Finding {
  if (isSilence(error)) return { kind: 'no_answer' };
  const code = error instanceof ApiError ? error.code : '';
  if (code === 'origin_not_allowed') return { kind: 'refused_origin' };
  if (code === 'upgrade_lost') return { kind: 'upgrade_lost' };
  if (code === 'draining') return { kind: 'draining' };
  if (error instanceof ApiError && code === 'banned') return { kind: 'banned', sentence: problemSentence(error, '') };
  return { kind: 'answers' };
}

function isSilence(error: unknown): boolean {
  return !(error instanceof ApiError) || error.code === 'unreachable' || error.code === 'timeout';
}
