// One open match in one line.
import type { GameInfo, MatchSummary } from '@tickwire/client';
import { formatCount } from '@tickwire/ui';

const PHASES: Readonly<Record<MatchSummary['phase'], string>> = {
  waiting: 'waiting',
  countdown: 'starting',
  live: 'live',
  finished: 'ending',
};

export function matchLine(match: MatchSummary, modes: GameInfo['modes']): string {
  const title = modes.find((mode) => mode.id === match.mode)?.title ?? match.mode;
  const players = `${formatCount(match.players, 'player')} of ${match.max_players}`;
  const bots = match.bots > 0 ? ` + ${formatCount(match.bots, 'bot')}` : '';
  return `${title} · ${players}${bots} · ${PHASES[match.phase]}`;
}
