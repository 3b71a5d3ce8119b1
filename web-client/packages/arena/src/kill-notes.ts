// What the HUD says of kills: who killed you, for as long as you are dead, and whom you killed, for
// a moment.
import { el, setHidden, setText } from '@tickwire/ui';
import type { DeathNote, KillNote } from './hud-model';
import { cssColor, playerColor } from './palette';
import { HEALTH_MAX, KILL_SCORE } from './generated';

const KILL_MS = 2_400;
const KILLS_MAX = 3;

export class KillNotes {
  readonly element: HTMLElement;
  private readonly lead = el('p', { class: 'death-lead' });
  private readonly name = el('b', { class: 'death-name', 'data-testid': 'killer' });
  private readonly bot = el('span', { class: 'death-bot' }, 'bot');
  private readonly left = el('span', { class: 'death-left', 'data-testid': 'killer-health' });
  private readonly bar = el('div', { class: 'bar-fill' });
  private readonly barFrame = el('div', { class: 'bar death-bar', 'aria-hidden': 'true' }, this.bar);
  private readonly death: HTMLElement;
  private readonly kills = el('ol', { class: 'kills', 'data-testid': 'own-kills', 'aria-live': 'polite' });

  constructor() {
    const who = el('p', { class: 'death-who' }, this.name, this.bot);
    this.death = el(
      'div',
      { class: 'death', 'data-testid': 'death', role: 'status', hidden: true },
      this.lead,
      who,
      this.barFrame,
      this.left,
    );
    this.element = el('div', {}, this.kills, this.death);
  }

  /** Says who killed the own player; null takes it away. */
  showDeath(note: DeathNote | null): void {
    setHidden(this.death, note === null);
    if (!note) return;
    const { killer } = note;
    setText(this.lead, killer ? 'Killed by' : 'Killed');
    setText(this.name, killer?.name ?? 'Outside of the zone');
    setHidden(this.bot, !killer?.bot);
    this.name.style.color = killer ? cssColor(playerColor(killer.player, false)) : 'var(--danger)';
    setHidden(this.barFrame, !killer);
    this.bar.style.transform = `scaleX(${Math.min(1, note.left / HEALTH_MAX)})`;
    setText(this.left, killer ? leftText(note.left) : 'Stay inside of the red circle');
  }

  addKill({ victim }: KillNote): void {
    const item = el(
      'li',
      {},
      'You eliminated ',
      el('b', {}, victim),
      el('span', { class: 'kill-score' }, `+${KILL_SCORE}`),
    );
    this.kills.append(item);
    while (this.kills.children.length > KILLS_MAX) this.kills.firstElementChild?.remove();
    setTimeout(() => {
      item.remove();
    }, KILL_MS);
  }
}

function leftText(left: number): string {
  if (left === 0) return 'who fell, too';
  return left >= HEALTH_MAX ? 'who was not hurt at all' : `who had ${left} health left`;
}
