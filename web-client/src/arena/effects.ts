// Short-lived marks: sparks where a shot hits, a ring where a fighter falls, damage numbers. With reduced motion only
// the marks that carry information remain.
import { Container, Graphics, Text } from 'pixi.js';
import { COLORS } from './palette';

interface Effect {
  readonly view: Container;
  readonly bornMs: number;
  readonly lifeMs: number;
  /** `age` from 0 to 1. */
  readonly step: (age: number) => void;
}

const EFFECTS_MAX = 80;

export class Effects {
  readonly layer = new Container();
  private readonly reducedMotion: boolean;
  private live: Effect[] = [];

  constructor(reducedMotion: boolean) {
    this.reducedMotion = reducedMotion;
  }

  hit(x: number, y: number, color: number, damage: number | null, nowMs: number): void {
    if (!this.reducedMotion) this.sparks(x, y, color, nowMs);
    if (damage !== null) this.number(x, y, damage, nowMs);
  }

  kill(x: number, y: number, color: number, nowMs: number): void {
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

  /** Advances all and removes the spent. */
  step(nowMs: number): void {
    const spent = this.live.filter((effect) => nowMs - effect.bornMs >= effect.lifeMs);
    for (const effect of spent) effect.view.destroy({ children: true });
    if (spent.length > 0) this.live = this.live.filter((effect) => nowMs - effect.bornMs < effect.lifeMs);
    for (const effect of this.live) effect.step((nowMs - effect.bornMs) / effect.lifeMs);
  }

  clear(): void {
    for (const effect of this.live) effect.view.destroy({ children: true });
    this.live = [];
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

  private number(x: number, y: number, damage: number, nowMs: number): void {
    const text = new Text({
      text: String(damage),
      style: { fontFamily: 'system-ui, sans-serif', fontSize: 22, fontWeight: '700', fill: COLORS.text },
    });
    text.anchor.set(0.5);
    text.position.set(x, y - 40);
    this.add(text, nowMs, 600, (age) => {
      text.y = this.reducedMotion ? y - 56 : y - 40 - 36 * easeOut(age);
      text.alpha = 1 - age * age;
    });
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
