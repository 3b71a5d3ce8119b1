// What a screen reader is told while a match goes on: the few moments that matter, not what counts.
import type { HudModel } from './hud-model';

const TIMES: Readonly<Record<string, string>> = { '1:00': 'One minute left.', '0:10': 'Ten seconds left.' };

/** A sentence for what changed between two looks; empty for nothing worth telling. */
export function announcement(before: HudModel | null, after: HudModel): string {
  if (before?.phase !== after.phase) return phaseSentence(after);
  if (after.phase !== 'live') return '';
  if (before.alive !== after.alive) return after.alive ? 'You are back.' : lifeLost(after.notice);
  return before.timer === after.timer ? '' : (TIMES[after.timer] ?? '');
}

function phaseSentence({ phase, notice, alive }: HudModel): string {
  switch (phase) {
    case 'waiting':
      return 'Waiting for players.';
    case 'countdown':
      return `${notice} seconds.`;
    case 'live':
      return alive ? 'The match is on.' : 'The match is on. You will be in it in a moment.';
    case 'finished':
      return '';
  }
}

/** Who killed the player is said by the note that shows it. */
function lifeLost(notice: string): string {
  return notice === 'You are out' ? 'You are out.' : '';
}
