// Holds recent snapshots and plays them back a little late, so that between two of them the others move smoothly. How
// late follows from how unevenly they arrive.
import type { Snapshot } from './snapshot';

/** What to draw: a point `alpha` of the way between two snapshots, which are the same one at the edges. */
export interface Sample {
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly alpha: number;
  /** The playhead: `from.tick` plus the fraction. */
  readonly tick: number;
}

const KEEP = 64;
const WINDOW = 60;
/** Beyond the measured unevenness: one tick to have two snapshots to draw between, and a little for the timer. */
const BASE_DELAY_TICKS = 1.2;
const DELAY_MAX_MS = 300;
const SLEW = 0.08;
/** Further off than this (a hidden tab, a stall), the playhead jumps. */
const SNAP_MS = 400;

export class SnapshotBuffer {
  private msPerTick: number;
  private snapshots: Snapshot[] = [];
  /** Arrival minus nominal time of the newest snapshots; only differences mean anything. */
  private offsets: number[] = [];
  private fastest = 0;
  private spreadMs = 0;
  private playhead: number | null = null;
  private lastMs = 0;

  constructor(tickRate: number) {
    this.msPerTick = 1000 / tickRate;
  }

  get latest(): Snapshot | null {
    return this.snapshots.at(-1) ?? null;
  }

  /** How unevenly snapshots arrive: the 95th percentile of lateness against the fastest. */
  get jitterMs(): number {
    return this.spreadMs;
  }

  /** How far behind the newest arrival the playhead aims to be. */
  get delayMs(): number {
    return Math.min(DELAY_MAX_MS, BASE_DELAY_TICKS * this.msPerTick + this.spreadMs);
  }

  push(snapshot: Snapshot, nowMs: number): void {
    const { latest } = this;
    // An older tick means a new stream: nothing kept belongs to it.
    if (latest && snapshot.tick < latest.tick) this.clear();
    this.snapshots.push(snapshot);
    if (this.snapshots.length > KEEP) this.snapshots.shift();
    this.offsets.push(nowMs - snapshot.tick * this.msPerTick);
    if (this.offsets.length > WINDOW) this.offsets.shift();
    const sorted = this.offsets.toSorted((a, b) => a - b);
    this.fastest = sorted[0] ?? 0;
    this.spreadMs = (sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0) - this.fastest;
  }

  /** A new stream, possibly at another rate. */
  restart(tickRate: number): void {
    this.msPerTick = 1000 / tickRate;
    this.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.snapshots = [];
    this.offsets = [];
    this.playhead = null;
    this.spreadMs = 0;
  }

  /** What to draw at `nowMs`; null before the first snapshot. */
  sample(nowMs: number): Sample | null {
    const { latest } = this;
    if (!latest) return null;
    const tick = Math.min(this.movePlayhead(nowMs), latest.tick);
    // Everything before the pair that is being drawn is past.
    while (this.snapshots.length > 2 && (this.snapshots[1]?.tick ?? Infinity) <= tick) this.snapshots.shift();
    const from = this.snapshots[0] ?? latest;
    const to = this.snapshots[1] ?? from;
    if (tick <= from.tick || to.tick === from.tick) return { from, to: from, alpha: 0, tick: from.tick };
    return { from, to, alpha: Math.min(1, (tick - from.tick) / (to.tick - from.tick)), tick };
  }

  private movePlayhead(nowMs: number): number {
    const target = (nowMs - this.fastest - this.delayMs) / this.msPerTick;
    if (this.playhead === null || Math.abs(target - this.playhead) * this.msPerTick > SNAP_MS) {
      this.playhead = target;
    } else {
      const elapsed = Math.max(0, (nowMs - this.lastMs) / this.msPerTick);
      const error = target - (this.playhead + elapsed);
      const most = elapsed * SLEW;
      this.playhead += elapsed + Math.min(most, Math.max(-most, error));
    }
    this.lastMs = nowMs;
    return this.playhead;
  }
}
