// Events wait here for the picture to catch up with them.
import type { GameEvent } from './generated';

/** More than a stall of seconds brings. A tab that nobody sees draws nothing: the oldest are lost, and not missed. */
const WAITING_MAX = 512;

/** Holds events until the drawn tick reaches theirs, so that a hit shows when the drawn shot arrives. */
export class EventQueue {
  private waiting: { readonly tick: number; readonly event: GameEvent }[] = [];

  push(event: GameEvent, tick: number): void {
    this.waiting.push({ tick, event });
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
  }

  /** Events up to the tick, oldest first. */
  take(tick: number): GameEvent[] {
    const due = this.waiting.filter((entry) => entry.tick <= tick);
    if (due.length > 0) this.waiting = this.waiting.filter((entry) => entry.tick > tick);
    return due.map((entry) => entry.event);
  }

  clear(): void {
    this.waiting = [];
  }
}
