import { describe, expect, it } from 'vitest';
import { SnapshotBuffer } from './interpolation';
import type { Snapshot } from './snapshot';

const MS_PER_TICK = 1000 / 30;

function snapshot(tick: number): Snapshot {
  return { tick, tables: [] };
}

/** Feeds ticks from..to with the given lateness, drawing 60 times a second; returns the playheads. */
function play(buffer: SnapshotBuffer, from: number, to: number, lateMs: (tick: number) => number): number[] {
  const drawn: number[] = [];
  let next = from;
  for (let ms = from * MS_PER_TICK; ms < to * MS_PER_TICK; ms += 1000 / 60) {
    while (next < to && next * MS_PER_TICK + lateMs(next) <= ms) {
      buffer.push(snapshot(next), ms);
      next += 1;
    }
    const sample = buffer.sample(ms);
    if (sample) drawn.push(sample.tick);
  }
  return drawn;
}

describe('SnapshotBuffer', () => {
  it('has nothing to draw before the first snapshot', () => {
    expect(new SnapshotBuffer(30).sample(0)).toBeNull();
  });

  it('moves evenly and forward while snapshots arrive evenly', () => {
    const buffer = new SnapshotBuffer(30);
    const drawn = play(buffer, 100, 200, () => 5).slice(20);
    const steps = drawn.slice(1).map((tick, i) => tick - (drawn[i] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0.4);
    expect(Math.max(...steps)).toBeLessThan(0.6);
  });

  it('waits longer when they arrive unevenly', () => {
    const even = new SnapshotBuffer(30);
    play(even, 100, 200, () => 0);
    const uneven = new SnapshotBuffer(30);
    play(uneven, 100, 200, (tick) => (tick % 7 === 0 ? 90 : 0));
    expect(even.delayMs).toBeLessThan(60);
    expect(uneven.delayMs).toBeGreaterThan(even.delayMs + 40);
    expect(uneven.delayMs).toBeLessThanOrEqual(300);
  });

  it('holds the newest when they stop, and jumps to now when they come again', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 130, () => 0);
    expect(buffer.sample(300 * MS_PER_TICK)?.tick).toBe(129);
    for (let tick = 290; tick <= 300; tick += 1) buffer.push(snapshot(tick), tick * MS_PER_TICK);
    expect(buffer.sample(300 * MS_PER_TICK + 1)?.tick).toBeGreaterThan(290);
  });

  it('draws between the two snapshots around the playhead', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 160, () => 0);
    const sample = buffer.sample(160 * MS_PER_TICK);
    expect(sample?.to.tick).toBe((sample?.from.tick ?? 0) + 1);
    expect(sample?.alpha).toBeCloseTo((sample?.tick ?? 0) - (sample?.from.tick ?? 0));
  });

  it('starts over with an older tick, which is another stream', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 500, 520, () => 0);
    buffer.push(snapshot(3), 20_000);
    expect(buffer.sample(20_001)?.tick).toBe(3);
  });
});
