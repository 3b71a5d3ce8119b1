// The HUD's elements; what they say comes from `hud-model.ts`. Nothing here changes the layout while playing.
import type { Quality } from '@tickwire/client';
import { el, formatOrdinal, formatPing, icon, type IconName, setHidden, setText } from '@tickwire/ui';
import { HEALTH_MAX, type Button } from './generated';
import type { FeedLine, HudModel } from './hud-model';
import { KillNotes } from './kill-notes';
import { Scoreboard } from './scoreboard';

const FEED_MAX = 4;
const FEED_MS = 6_000;
const HURT_MS = 260;

const QUALITY_WORDS: Readonly<Record<Quality, string>> = {
  good: 'Good connection',
  fair: 'Fair connection',
  poor: 'Poor connection',
  lost: 'No connection',
};

export class Hud {
  readonly element: HTMLElement;
  readonly menuButton = hudButton('Menu', 'menu', 'menu-button');
  readonly scoresButton = hudButton('Players and scores', 'scores', 'scores-button');
  readonly inviteButton = hudButton('Invite friends', 'invite', 'invite-button');
  /** What fingers press. */
  readonly buttons = new Map<Button, HTMLElement>([['dash', touchButton('dash', 'Dash')]]);
  /** What the touch sticks must not cover. */
  readonly bottom: HTMLElement;
  readonly kills = new KillNotes();
  private readonly health = el('div', { class: 'bar-fill' });
  private readonly healthText = el('span', { class: 'bar-text', 'data-testid': 'health' });
  private readonly healthBar: HTMLElement;
  private readonly dash = el('div', { class: 'bar-fill' });
  private readonly overcharge = el('span', { class: 'overcharge', hidden: true }, 'Overcharge');
  private readonly shield = el(
    'span',
    { class: 'shield', 'data-testid': 'shield', hidden: true },
    'Protected until you fire',
  );
  private readonly timer = el('div', { class: 'timer', 'data-testid': 'timer' });
  private readonly score = el('span', { class: 'score-value', 'data-testid': 'score' });
  private readonly rank = el('span', { class: 'score-rank' });
  private readonly notice = el('div', { class: 'notice', 'data-testid': 'notice' });
  private readonly feed = el('ol', { class: 'feed', 'aria-label': 'Kills', 'data-testid': 'kill-feed' });
  private readonly ping = el('span', { class: 'ping-value', 'data-testid': 'ping' });
  private readonly qualityDot = el('span', { class: 'quality', role: 'img' });
  private readonly path = el('div', { class: 'hud-path', role: 'status', 'data-testid': 'slower-path' });
  private readonly hurt = el('div', { class: 'hurt', 'aria-hidden': 'true' });
  private readonly idle = el('div', { class: 'idle-note', 'data-testid': 'idle-note' });
  private readonly scores = new Scoreboard('Players and scores');
  private readonly scoresPanel: HTMLElement;
  private lastHealth = HEALTH_MAX;

  constructor() {
    this.healthBar = el(
      'div',
      { class: 'bar health', role: 'meter', 'aria-label': 'Health', 'aria-valuemin': '0', 'aria-valuemax': '100' },
      this.health,
      this.healthText,
    );
    this.scoresPanel = this.scoresPanelElement();
    this.bottom = el(
      'div',
      { class: 'hud-bottom', 'data-testid': 'bars' },
      this.shield,
      this.overcharge,
      this.healthBar,
      el('div', { class: 'bar dash', 'aria-hidden': 'true' }, this.dash, el('span', { class: 'bar-text' }, 'Dash')),
    );
    this.element = el(
      'div',
      { class: 'hud', 'data-testid': 'hud' },
      this.hurt,
      this.top(),
      this.notice,
      this.kills.element,
      this.idle,
      this.scoresPanel,
      this.bottom,
      ...this.buttons.values(),
    );
    this.scoresButton.setAttribute('aria-expanded', 'false');
  }

  /** Three columns that cannot meet: buttons, the match, the connection and who fell. */
  private top(): HTMLElement {
    return el(
      'div',
      { class: 'hud-top' },
      el(
        'div',
        { class: 'hud-left', 'data-testid': 'hud-buttons' },
        this.menuButton,
        this.scoresButton,
        this.inviteButton,
      ),
      el(
        'div',
        { class: 'hud-middle', 'data-testid': 'hud-middle' },
        this.timer,
        el('div', { class: 'score' }, this.score, this.rank),
      ),
      el(
        'div',
        { class: 'hud-right' },
        el('div', { class: 'ping', 'data-testid': 'hud-connection' }, this.qualityDot, this.ping),
        this.path,
        this.feed,
      ),
    );
  }

  private scoresPanelElement(): HTMLElement {
    const close = el(
      'button',
      { type: 'button', class: 'scores-close', 'aria-label': 'Close the scores', 'data-testid': 'scores-close' },
      icon('close'),
    );
    close.addEventListener('click', () => {
      this.showScores(false);
    });
    return el(
      'section',
      { class: 'scores-panel', 'aria-label': 'Scores', 'data-testid': 'scores-panel', hidden: true },
      el('header', {}, el('h2', {}, 'Scores'), close),
      el('div', { class: 'scores-scroll' }, this.scores.element),
    );
  }

  showScores(shown: boolean): void {
    setHidden(this.scoresPanel, !shown);
    this.scoresButton.setAttribute('aria-expanded', String(shown));
  }

  toggleScores(): void {
    this.showScores(this.scoresPanel.hasAttribute('hidden'));
  }

  update(model: HudModel, pingMs: number | null, quality: Quality): void {
    if (model.alive && model.health < this.lastHealth) this.flashHurt();
    this.lastHealth = model.alive ? model.health : HEALTH_MAX;
    const share = Math.max(0, Math.min(1, model.health / HEALTH_MAX));
    this.health.style.transform = `scaleX(${share})`;
    this.healthBar.classList.toggle('low', model.alive && share <= 0.35);
    this.healthBar.setAttribute('aria-valuenow', String(model.health));
    setText(this.healthText, model.alive ? String(model.health) : '–');
    this.dash.style.transform = `scaleX(${model.alive ? model.dash : 0})`;
    this.element.classList.toggle('dash-ready', model.alive && model.dash >= 1);
    setHidden(this.overcharge, !model.overcharged);
    setHidden(this.shield, !model.isProtected);
    if (model.alive || model.phase !== 'live') this.kills.showDeath(null);
    setText(this.timer, model.timer);
    setText(this.score, String(model.score));
    setText(this.rank, rankText(model));
    setText(this.notice, model.notice);
    this.updatePing(pingMs, quality);
    if (!this.scoresPanel.hidden) this.scores.update(model.lines);
  }

  updatePing(pingMs: number | null, quality: Quality): void {
    setText(this.ping, formatPing(pingMs));
    if (this.qualityDot.dataset['quality'] === quality) return;
    this.qualityDot.dataset['quality'] = quality;
    this.qualityDot.setAttribute('aria-label', QUALITY_WORDS[quality]);
    this.qualityDot.title = QUALITY_WORDS[quality];
  }

  /** Says that messages do not go the usual way; empty while they do. */
  showPath(sentence: string): void {
    setText(this.path, sentence);
  }

  /** Says that a bot plays for the player meanwhile; empty for one who is there. */
  showIdle(sentence: string): void {
    setText(this.idle, sentence);
  }

  addFeed(line: FeedLine): void {
    const item = el(
      'li',
      { class: line.ownKill ? 'own-kill' : line.ownDeath ? 'own-death' : '' },
      nameInFeed(line.killer, line.killerBot),
      el('span', { class: 'arrow', 'aria-label': 'defeated' }, ' ▸ '),
      nameInFeed(line.victim, line.victimBot),
    );
    this.feed.append(item);
    while (this.feed.children.length > FEED_MAX) this.feed.firstElementChild?.remove();
    setTimeout(() => {
      item.remove();
    }, FEED_MS);
  }

  private flashHurt(): void {
    this.hurt.classList.add('shown');
    setTimeout(() => {
      this.hurt.classList.remove('shown');
    }, HURT_MS);
  }
}

function hudButton(label: string, name: IconName, id: string): HTMLButtonElement {
  return el(
    'button',
    { type: 'button', class: 'hud-button', 'aria-label': label, title: label, 'data-testid': id },
    icon(name),
  );
}

/** Its keys are on the keyboard, so it is not reached by them. */
function touchButton(name: Button, label: string): HTMLElement {
  return el(
    'button',
    { type: 'button', class: `${name}-button`, 'aria-label': label, tabindex: '-1', 'data-testid': `${name}-button` },
    label,
  );
}

/** A bot's name has the bots' mark, which is read out too. */
function nameInFeed(name: string, bot: boolean): HTMLElement {
  return bot
    ? el('b', { class: 'bot' }, el('span', { class: 'bot-mark', role: 'img', 'aria-label': 'Bot' }), name)
    : el('b', {}, name);
}

function rankText({ rank, lines, survivors }: HudModel): string {
  if (survivors !== null) return rank === 0 ? `${survivors} alive` : `${formatOrdinal(rank)}, ${survivors} alive`;
  return rank === 0 ? '' : `${formatOrdinal(rank)} of ${lines.length}`;
}
