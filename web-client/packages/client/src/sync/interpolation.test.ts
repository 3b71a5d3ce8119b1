import { describe, expect, it } from 'vitest';
import { SnapshotBuffer } from './interpolation';
import type { Snapshot } from '../replica/snapshot';

const MS_PER_TICK = 1000 / 30;

function snapshot(tick: number): Snapshot {
  return { tick, tables: [] };
}

/** From `from` to `to`, feeds the ticks from `next` on with the given lateness, drawing 60 times a second; returns the playheads. */
function play(
  buffer: SnapshotBuffer,
  from: number,
  to: number,
  lateMs: (tick: number) => number,
  next = (buffer.latest?.tick ?? from - 1) + 1,
): number[] {
  const drawn: number[] = [];
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

  it('holds the newest when they stop', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 130, () => 0);
    expect(buffer.sample(300 * MS_PER_TICK)?.tick).toBe(129);
  });

  /** Ticks 160 to 160 + `ticks` arrive together, as the last of them would; the others in time. */
  const stall = (ticks: number) => (tick: number) =>
    tick >= 160 && tick < 160 + ticks ? (160 + ticks - tick) * MS_PER_TICK : 0;

  it.each([6, 9, 30, 150])('is as late as before within 0.3 s of the end of a stall of %i ticks', (ticks) => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 160, stall(ticks));
    const before = buffer.delayMs;
    play(buffer, 160, 160 + ticks, stall(ticks));
    const drawn = play(buffer, 160 + ticks, 160 + ticks + 9, stall(ticks));
    expect(buffer.delayMs).toBeCloseTo(before);
    expect((160 + ticks + 9 - (drawn.at(-1) ?? 0)) * MS_PER_TICK).toBeLessThan(before + 2 * MS_PER_TICK);
  });

  it.each([9, 150])('slides on after a stall of %i ticks, from where it stood', (ticks) => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 160, stall(ticks));
    const stood = play(buffer, 160, 160 + ticks, stall(ticks)).at(-1) ?? 0;
    const drawn = play(buffer, 160 + ticks, 180 + ticks, stall(ticks));
    const steps = drawn.map((tick, i) => tick - (drawn[i - 1] ?? stood));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps), 'no frame goes all the way').toBeLessThan(0.35 * ticks);
    const sample = buffer.sample((180 + ticks) * MS_PER_TICK);
    expect(sample?.to.tick).toBe((sample?.from.tick ?? 0) + 1);
  });

  it('waits longer where stalls are the rule', () => {
    const buffer = new SnapshotBuffer(30);
    const late = (tick: number): number => (tick % 30 < 8 ? (8 - (tick % 30)) * MS_PER_TICK : 0);
    play(buffer, 100, 250, late);
    expect(buffer.delayMs).toBeGreaterThan(200);
  });

  it('learns that the way got longer for good', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 250, (tick) => (tick < 160 ? 0 : 220));
    expect(buffer.delayMs, 'only the longer way is in the window').toBeLessThan(60);
    const behindMs = (260 - (play(buffer, 250, 260, () => 220).at(-1) ?? 0)) * MS_PER_TICK;
    expect(behindMs).toBeGreaterThan(220 + MS_PER_TICK);
    expect(behindMs).toBeLessThan(220 + 3 * MS_PER_TICK);
  });

  it('goes on from what was drawn when the match goes on over another connection', () => {
    const buffer = new SnapshotBuffer(30);
    play(buffer, 100, 130, () => 0);
    const stood = buffer.sample(140 * MS_PER_TICK)?.tick ?? 0;
    buffer.resume();
    expect(buffer.sample(140 * MS_PER_TICK)?.tick).toBe(stood);
    const drawn = play(buffer, 140, 150, () => 40, 140);
    const steps = drawn.map((tick, i) => tick - (drawn[i - 1] ?? stood));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThan(5);
    expect(drawn.at(-1)).toBeGreaterThan(145);
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
