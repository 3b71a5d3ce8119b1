import { expect, it } from 'vitest';
import { EventQueue } from './events';
import type { GameEvent } from './generated';

const pickup = (player: number): GameEvent => ({ kind: 'pickup', player }) as unknown as GameEvent;

it('keeps the newest events for a tab that draws nothing, and no more than a stall brings', () => {
  const queue = new EventQueue();
  for (let tick = 0; tick < 10_000; tick += 1) queue.push(pickup(tick), tick);
  const kept = queue.take(10_000);
  expect(kept).toHaveLength(512);
  expect(kept.at(-1)).toEqual(pickup(9_999));
  expect(queue.take(10_000)).toEqual([]);
});
