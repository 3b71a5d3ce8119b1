// What the dashboard makes of the server's figures. No page here.
import { formatDuration } from '@tickwire/ui';
import type { AdminMatch } from './admin-api';

/** Percentiles of fewer ticks than this many seconds' are those of a match that has just started, not of how it runs. */
const SETTLED_S = 10;
/** The figures come every second; after so long without, they are no longer those of now. */
const STALE_MS = 3_500;

/** Nobody is connected or watching, so the match stands still and costs nothing. */
export function isDormant(match: AdminMatch): boolean {
  return match.players === 0 && match.spectators === 0;
}

/** Whether a time deserves attention: more than half of the interval between ticks. */
export function isSlow(match: AdminMatch, us: number): boolean {
  return isSettled(match) && us > 500_000 / Math.max(1, match.tick_rate);
}

/** Whether more than one tick in a thousand took longer than its interval. */
export function overrunsOften(match: AdminMatch): boolean {
  return isSettled(match) && match.overruns * 1_000 > match.tick;
}

/** It runs, and has for a while. */
function isSettled(match: AdminMatch): boolean {
  return !isDormant(match) && match.tick >= SETTLED_S * match.tick_rate;
}

/** Connected people, and seats kept for others, of all seats. */
export function seats({ players, held, max_players }: AdminMatch): string {
  const kept = held - players;
  return kept > 0 ? `${players} (+${kept}) / ${max_players}` : `${players} / ${max_players}`;
}

export interface Age {
  readonly stale: boolean;
  /** How old the figures are, in words; empty before the first. */
  readonly text: string;
}

export function ageOf(answeredMs: number | null, nowMs: number): Age {
  if (answeredMs === null) return { stale: false, text: '' };
  const oldMs = nowMs - answeredMs;
  return oldMs < STALE_MS
    ? { stale: false, text: 'Live' }
    : { stale: true, text: `Last answer ${formatDuration(oldMs / 1_000)} ago` };
}
