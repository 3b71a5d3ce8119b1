// One drawn fighter: body, barrel, name and health bar.
import { Container, Graphics, Text } from 'pixi.js';
import { COLORS, playerColor } from './palette';
import type { SceneFighter } from './scene';
import { FIGHTER_RADIUS, HEALTH_MAX, PROTECTION_TICKS } from './generated';

const BAR_WIDTH = 54;
const BAR_HEIGHT = 6;
const FLASH_MS = 140;
/** The shield's ring has as many pieces; they go out one by one. */
const SHIELD_PIECES = 12;
const SHIELD_RADIUS = FIGHTER_RADIUS + 13;
/** A bot's hexagon takes about as much room as a person's disc. */
const HEXAGON_RADIUS = FIGHTER_RADIUS + 2;

/** Who plays a fighter, as far as it is shown. */
export interface Played {
  readonly name: string;
  readonly bot: boolean;
  /** A person whom a bot stands in for. */
  readonly away: boolean;
}

interface BodyLook {
  readonly color: number;
  readonly own: boolean;
  readonly bot: boolean;
}

export class FighterView {
  readonly view = new Container();
  private readonly barrel = new Graphics();
  private readonly body = new Graphics();
  private readonly glow = new Graphics();
  private readonly shield = new Graphics();
  private readonly flash = new Graphics();
  private readonly bar = new Graphics();
  private readonly label: Text;
  private drawnHealth = -1;
  private drawnBody: BodyLook = { color: -1, own: false, bot: false };
  private drawnShield = 0;
  private flashedMs = -Infinity;
  private readonly reducedMotion: boolean;

  constructor(reducedMotion: boolean) {
    this.reducedMotion = reducedMotion;
    this.label = new Text({
      text: '',
      resolution: 2,
      style: { fontFamily: 'system-ui, sans-serif', fontSize: 17, fontWeight: '600', fill: COLORS.text },
    });
    this.label.anchor.set(0.5, 1);
    this.label.position.set(0, -FIGHTER_RADIUS - 20);
    this.bar.position.set(0, -FIGHTER_RADIUS - 17);
    this.glow.circle(0, 0, FIGHTER_RADIUS + 9).fill({ color: COLORS.overcharge, alpha: 0.28 });
    this.view.addChild(this.glow, this.shield, this.barrel, this.body, this.flash, this.bar, this.label);
  }

  hit(nowMs: number): void {
    this.flashedMs = nowMs;
  }

  update(fighter: SceneFighter, played: Played, nowMs: number, zoom: number): void {
    this.view.position.set(fighter.x, fighter.y);
    this.barrel.rotation = fighter.aim;
    this.glow.visible = fighter.overcharge > 0;
    this.flash.visible = nowMs - this.flashedMs < FLASH_MS;
    this.showName(played);
    // Seen from far above, names would be too small to read at the world's scale.
    const readable = Math.max(1, 0.62 / zoom);
    this.label.scale.set(readable);
    this.bar.scale.set(Math.min(readable, 2));
    this.label.y = -FIGHTER_RADIUS - 12 - 8 * this.bar.scale.y;
    this.drawBody(playerColor(fighter.player, fighter.own), fighter.own, played.bot);
    this.drawBar(fighter.health);
    this.drawShield(fighter.protectedFor, nowMs);
  }

  /**
   * A ring around a fighter that nothing harms, which grows shorter as its time runs out. It is in pieces, so that the
   * glow of overcharge differs from it by more than its colour.
   */
  private drawShield(ticks: number, nowMs: number): void {
    const pieces = Math.ceil((SHIELD_PIECES * ticks) / PROTECTION_TICKS);
    this.shield.visible = pieces > 0;
    if (pieces === 0) return;
    if (!this.reducedMotion) {
      this.shield.rotation = nowMs / 1_400;
      this.shield.alpha = 0.82 + 0.18 * Math.sin(nowMs / 110);
    }
    if (this.drawnShield === pieces) return;
    this.drawnShield = pieces;
    this.shield.clear().circle(0, 0, SHIELD_RADIUS).fill({ color: COLORS.shield, alpha: 0.16 });
    const turn = (2 * Math.PI) / SHIELD_PIECES;
    for (let piece = 0; piece < pieces; piece += 1) {
      const start = piece * turn;
      this.shield
        .moveTo(SHIELD_RADIUS * Math.cos(start), SHIELD_RADIUS * Math.sin(start))
        .arc(0, 0, SHIELD_RADIUS, start, start + 0.66 * turn);
    }
    this.shield.stroke({ width: 4.5, color: COLORS.shield, cap: 'round' });
  }

  /** Bots and who is away stand back. */
  private showName({ name, bot, away }: Played): void {
    const text = away ? `${name} (away)` : name;
    if (this.label.text === text) return;
    this.label.text = text;
    this.label.style.fill = bot || away ? COLORS.muted : COLORS.text;
    this.label.style.fontWeight = bot || away ? '400' : '600';
  }

  /** People are discs, bots hexagons. */
  private drawBody(color: number, own: boolean, bot: boolean): void {
    const drawn = this.drawnBody;
    if (drawn.color === color && drawn.own === own && drawn.bot === bot) return;
    this.drawnBody = { color, own, bot };
    this.barrel
      .clear()
      .roundRect(4, -6, FIGHTER_RADIUS + 10, 12, 4)
      .fill(color)
      .stroke({ width: 2, color: COLORS.void });
    this.body.clear();
    outline(this.body, bot, FIGHTER_RADIUS, HEXAGON_RADIUS)
      .fill(color)
      .stroke({ width: 3, color: own ? COLORS.text : COLORS.void });
    outline(this.body, bot, FIGHTER_RADIUS * 0.45, HEXAGON_RADIUS * 0.45).fill({ color: COLORS.void, alpha: 0.35 });
    this.flash.clear();
    outline(this.flash, bot, FIGHTER_RADIUS, HEXAGON_RADIUS).fill({ color: 0xffffff, alpha: 0.85 });
  }

  private drawBar(health: number): void {
    if (this.drawnHealth === health) return;
    this.drawnHealth = health;
    const share = Math.max(0, Math.min(1, health / HEALTH_MAX));
    this.bar
      .clear()
      .roundRect(-BAR_WIDTH / 2 - 1, -1, BAR_WIDTH + 2, BAR_HEIGHT + 2, 3)
      .fill({ color: COLORS.barBack, alpha: 0.8 });
    if (share > 0) {
      this.bar
        .roundRect(-BAR_WIDTH / 2, 0, BAR_WIDTH * share, BAR_HEIGHT, 2)
        .fill(share > 0.35 ? COLORS.health : COLORS.danger);
    }
  }
}

function outline(graphics: Graphics, bot: boolean, disc: number, hexagon: number): Graphics {
  return bot ? graphics.regularPoly(0, 0, hexagon, 6) : graphics.circle(0, 0, disc);
}
