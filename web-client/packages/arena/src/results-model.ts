// What the results say, worked out from the server's ranking. No page here.
import type { Results, RosterEntry } from '@tickwire/client';
import { formatOrdinal } from '@tickwire/ui';
import { isAway, type HudModel, type ScoreLine } from './hud-model';

/** The server's ranking, with kills and deaths from the newest snapshot. Names are kept of those who leave meanwhile. */
export function resultLines(
  results: Results,
  roster: ReadonlyMap<number, RosterEntry>,
  player: number | null,
  model: HudModel | null,
  names: ReadonlyMap<number, string>,
): ScoreLine[] {
  const known = new Map(model?.lines.map((line) => [line.player, line]));
  return results.ranking.map(({ player: id, score }) => ({
    player: id,
    name: roster.get(id)?.name ?? names.get(id) ?? 'Someone who left',
    bot: roster.get(id)?.bot ?? false,
    own: id === player,
    away: isAway(roster.get(id)),
    score,
    kills: known.get(id)?.kills ?? 0,
    deaths: known.get(id)?.deaths ?? null,
    rank: 1 + results.ranking.filter((other) => other.score > score).length,
  }));
}

export function headline(lines: readonly ScoreLine[]): string {
  const own = lines.find((line) => line.own);
  if (own?.rank === 1) return 'You won!';
  if (own) return `You came ${formatOrdinal(own.rank)}`;
  return lines[0] ? `${lines[0].name} won` : 'Match over';
}

/** Where the viewer stands in the vote for another round. */
export type Vote =
  /** May vote still. */
  | 'open'
  | 'voted'
  /** Came while the results were shown: sits in the next round already. */
  | 'seated'
  /** The match closed for this player. */
  | 'over';

/** What is going to happen, and when; counted in whole seconds. */
export function voteNote(vote: Vote, secondsLeft: number, hadVoted = false): string {
  const seconds = Math.max(0, Math.ceil(secondsLeft));
  switch (vote) {
    case 'open':
      return seconds > 0
        ? `Another round with the same players? Vote within ${seconds} s.`
        : 'The vote is over. Without a vote from you, your seat is given up.';
    case 'voted':
      return seconds > 0
        ? `You voted. It starts again when everyone has, at the latest in ${seconds} s.`
        : 'It starts again now…';
    case 'seated':
      return seconds > 0
        ? `You came in as the match ended. You are in for the next round, which starts in ${seconds} s at the latest.`
        : 'The next round starts now…';
    case 'over':
      return hadVoted
        ? 'This match is over.'
        : 'This match is over for you: there was no vote from you for another round.';
  }
}

/** Seconds left at which the note is read out: not each of them. */
export const TOLD_SECONDS: readonly number[] = [10, 5];
