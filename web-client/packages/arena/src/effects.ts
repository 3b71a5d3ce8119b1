// Short-lived marks: sparks where a shot hits, a ring where a fighter falls, damage numbers. With reduced motion only
// the marks that carry information remain.
import { Container, Graphics, Text } from 'pixi.js';
import type { Vector } from './controls';
import { DamageTally, FLOAT_MS, type DamageNumber } from './damage';
import { COLORS } from './palette';

interface Effect {
  readonly view: Container;
  readonly bornMs: number;
  readonly lifeMs: number;
  /** `age` from 0 to 1. */
  readonly step: (age: number) => void;
}

/** A drawn damage number. */
interface DrawnNumber {
  readonly text: Text;
  /** Where its fighter was last. */
  place: Vector;
}

const EFFECTS_MAX = 80;
/** A number swells for so long after each hit. */
const SWELL_MS = 150;
const NUMBER_Y = -74;

export class Effects {
  readonly layer = new Container();
  private readonly reducedMotion: boolean;
  private live: Effect[] = [];
  private readonly damage = new DamageTally();
  private readonly numbers = new Map<number, DrawnNumber>();

  constructor(reducedMotion: boolean) {
    this.reducedMotion = reducedMotion;
  }

  hit(x: number, y: number, color: number, nowMs: number): void {
    if (!this.reducedMotion) this.sparks(x, y, color, nowMs);
  }

  /** Adds to the victim's damage number. */
  hurt(victim: number, damage: number, nowMs: number): void {
    this.damage.add(victim, damage, nowMs);
  }

  kill(victim: number, x: number, y: number, color: number, nowMs: number): void {
    this.damage.finish(victim, nowMs);
    const ring = new Graphics().circle(0, 0, 60).stroke({ width: 5, color });
    ring.position.set(x, y);
    this.add(ring, nowMs, 600, (age) => {
      ring.scale.set(this.reducedMotion ? 1 : 0.3 + 1.2 * easeOut(age));
      ring.alpha = 1 - age;
    });
    if (!this.reducedMotion) {
      this.sparks(x, y, color, nowMs);
      this.sparks(x, y, COLORS.text, nowMs);
    }
  }

  pickup(x: number, y: number, color: number, nowMs: number): void {
    const ring = new Graphics().circle(0, 0, 30).stroke({ width: 3, color });
    ring.position.set(x, y);
    this.add(ring, nowMs, 350, (age) => {
      ring.scale.set(this.reducedMotion ? 1 : 1 + 0.6 * easeOut(age));
      ring.alpha = 1 - age;
    });
  }

  /**
   * Advances all and removes the spent. `places` tells where fighters were last drawn, `own` which
   * one is the own.
   */
  step(nowMs: number, places: ReadonlyMap<number, Vector>, own: number | null): void {
    const spent = this.live.filter((effect) => nowMs - effect.bornMs >= effect.lifeMs);
    for (const effect of spent) effect.view.destroy({ children: true });
    if (spent.length > 0) this.live = this.live.filter((effect) => nowMs - effect.bornMs < effect.lifeMs);
    for (const effect of this.live) effect.step((nowMs - effect.bornMs) / effect.lifeMs);
    this.drawNumbers(nowMs, places, own);
  }

  clear(): void {
    for (const effect of this.live) effect.view.destroy({ children: true });
    this.live = [];
    this.damage.clear();
    this.drawNumbers(0, new Map(), null);
  }

  private sparks(x: number, y: number, color: number, nowMs: number): void {
    const view = new Container();
    view.position.set(x, y);
    const pieces = Array.from({ length: 7 }, (_, i) => {
      const piece = new Graphics().circle(0, 0, 3.5).fill(color);
      view.addChild(piece);
      const angle = (i / 7) * 2 * Math.PI + (x + y);
      return { piece, dx: Math.cos(angle), dy: Math.sin(angle) };
    });
    this.add(view, nowMs, 320, (age) => {
      const distance = 12 + 34 * easeOut(age);
      for (const { piece, dx, dy } of pieces) piece.position.set(dx * distance, dy * distance);
      view.alpha = 1 - age;
    });
  }

  private drawNumbers(nowMs: number, places: ReadonlyMap<number, Vector>, own: number | null): void {
    const shown = this.damage.shown(nowMs);
    for (const [id, { text }] of this.numbers) {
      if (shown.some((number) => number.id === id)) continue;
      text.destroy();
      this.numbers.delete(id);
    }
    for (const number of shown) {
      const place = places.get(number.victim);
      const known = this.numbers.get(number.id);
      if (!known && !place) continue;
      const drawn = known ?? { text: this.newNumber(number.victim === own), place: place ?? { x: 0, y: 0 } };
      this.numbers.set(number.id, drawn);
      // A number that floats off stays where its fighter was.
      if (place && number.floatsMs === null) drawn.place = place;
      this.drawNumber(number, drawn, nowMs);
    }
  }

  private newNumber(own: boolean): Text {
    const text = new Text({
      resolution: 2,
      style: {
        fontFamily: 'system-ui, sans-serif',
        fontSize: 30,
        fontWeight: '800',
        fill: own ? COLORS.danger : COLORS.text,
        stroke: { color: COLORS.void, width: 5, join: 'round' },
      },
    });
    text.anchor.set(0.5);
    this.layer.addChild(text);
    return text;
  }

  private drawNumber({ sum, lastHitMs, floatsMs }: DamageNumber, { text, place }: DrawnNumber, nowMs: number): void {
    const label = String(sum);
    if (text.text !== label) text.text = label;
    const swell = this.reducedMotion ? 0 : Math.max(0, 1 - (nowMs - lastHitMs) / SWELL_MS);
    const age = floatsMs === null ? 0 : Math.min(1, (nowMs - floatsMs) / FLOAT_MS);
    // The more it adds up to, the larger it is.
    text.scale.set(0.85 + Math.min(sum, 100) / 200 + 0.3 * swell);
    text.alpha = 1 - age * age;
    text.position.set(place.x, place.y + NUMBER_Y - (this.reducedMotion ? 0 : 46 * easeOut(age)));
  }

  private add(view: Container, nowMs: number, lifeMs: number, step: (age: number) => void): void {
    if (this.live.length >= EFFECTS_MAX) {
      view.destroy({ children: true });
      return;
    }
    this.layer.addChild(view);
    this.live.push({ view, bornMs: nowMs, lifeMs, step });
    step(0);
  }
}

function easeOut(age: number): number {
  return 1 - (1 - age) ** 3;
}
