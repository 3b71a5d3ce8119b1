// The arena's own events.
import type { GameEvent } from './generated';

export type ArenaEvent = GameEvent;

/** Null for a kind this page does not know. */
export function parseArenaEvent(event: unknown): ArenaEvent | null {
  if (typeof event !== 'object' || event === null) return null;
  const { kind } = event as { kind?: unknown };
  return kind === 'kill' || kind === 'pickup' || kind === 'hit' ? (event as ArenaEvent) : null;
}

/** More than a stall of seconds brings. A tab that nobody sees draws nothing: the oldest are lost, and not missed. */
const WAITING_MAX = 512;

/** Holds events until the drawn tick reaches theirs, so that a hit shows when the drawn shot arrives. */
export class EventQueue {
  private waiting: { readonly tick: number; readonly event: ArenaEvent }[] = [];

  push(event: ArenaEvent, tick: number): void {
    this.waiting.push({ tick, event });
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
  }

  /** Events up to the tick, oldest first. */
  take(tick: number): ArenaEvent[] {
    const due = this.waiting.filter((entry) => entry.tick <= tick);
    if (due.length > 0) this.waiting = this.waiting.filter((entry) => entry.tick > tick);
    return due.map((entry) => entry.event);
  }

  clear(): void {
    this.waiting = [];
  }
}
