// Holds recent snapshots and plays them back a little late, so that between two of them the others move smoothly. How
// late follows from how unevenly they arrive. A stall is not unevenness: once it ends, the playhead hurries along what
// came meanwhile until it is as late as before.
//
// Invariants: the playhead never goes back and never beyond the newest snapshot, so nothing that can slide jumps.
import type { Snapshot } from '../replica/snapshot';

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
/** How fast the playhead may be bent while it is about right: that is not seen. */
const SLEW = 0.08;
/** Further behind than this, the playhead hurries. */
const HURRY_TICKS = 1;
/** While it hurries, half of what it is behind is gone after this long. */
const HURRY_HALF_LIFE_MS = 35;
/** So long without a snapshot is a stall; shorter gaps are unevenness, which a delay can hide. */
const STALL_MS = 180;
const STALL_TICKS = 4;
/** What a stall held back arrives at once. What is late for longer than this after its end is on a slower path. */
const BURST_MS = 300;
/** So many stalls within the time below are no exception: they count as unevenness. */
const STALLS_OFTEN = 3;
const STALLS_OFTEN_MS = 5_000;

export class SnapshotBuffer {
  private msPerTick: number;
  private snapshots: Snapshot[] = [];
  /** Arrival minus nominal time of the newest snapshots; only differences mean anything. */
  private offsets: number[] = [];
  private fastest = 0;
  private spreadMs = 0;
  private playhead: number | null = null;
  private lastMs = 0;
  private lastPushMs: number | null = null;
  /** When the newest stalls ended, newest last. */
  private stallEnds: number[] = [];
  /** What a stall held back is still arriving. */
  private inBurst = false;

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
    // The first is what is drawn: what goes is the one after it, so that there is a way from there to the newest.
    if (this.snapshots.length > KEEP) this.snapshots.splice(1, 1);
    this.measure(snapshot, nowMs);
    this.lastPushMs = nowMs;
  }

  /** The same match goes on over a new connection: what is drawn stays and slides on; how that one delivers must be learned. */
  resume(): void {
    this.offsets = [];
    this.spreadMs = 0;
    this.inBurst = false;
    this.stallEnds = [];
    this.lastPushMs = null;
  }

  /** A new stream, possibly at another rate. */
  restart(tickRate: number): void {
    this.msPerTick = 1000 / tickRate;
    this.clear();
  }

  /** Forgets everything. */
  private clear(): void {
    this.resume();
    this.snapshots = [];
    this.playhead = null;
  }

  /** What to draw at `nowMs`; null before the first snapshot. */
  sample(nowMs: number): Sample | null {
    const { latest } = this;
    if (!latest) return null;
    const tick = this.movePlayhead(nowMs, latest.tick);
    // Everything before the pair that is being drawn is past.
    while (this.snapshots.length > 2 && (this.snapshots[1]?.tick ?? Infinity) <= tick) this.snapshots.shift();
    const from = this.snapshots[0] ?? latest;
    const to = this.snapshots[1] ?? from;
    if (tick <= from.tick || to.tick === from.tick) return { from, to: from, alpha: 0, tick: from.tick };
    return { from, to, alpha: Math.min(1, (tick - from.tick) / (to.tick - from.tick)), tick };
  }

  private measure(snapshot: Snapshot, nowMs: number): void {
    const offset = nowMs - snapshot.tick * this.msPerTick;
    if (this.isHeldBack(offset, nowMs)) return;
    this.offsets.push(offset);
    if (this.offsets.length > WINDOW) this.offsets.shift();
    const sorted = this.offsets.toSorted((a, b) => a - b);
    this.fastest = sorted[0] ?? 0;
    this.spreadMs = (sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0) - this.fastest;
  }

  /** Whether a snapshot is late only because a stall kept it. Such a one says nothing about the next. */
  private isHeldBack(offset: number, nowMs: number): boolean {
    const gapMs = nowMs - (this.lastPushMs ?? nowMs);
    if (gapMs > Math.max(STALL_MS, STALL_TICKS * this.msPerTick)) {
      this.stallEnds = [...this.stallEnds.filter((end) => nowMs - end < STALLS_OFTEN_MS), nowMs];
      this.inBurst = this.offsets.length > 0;
    }
    const stallEnd = this.stallEnds.at(-1);
    if (!this.inBurst || stallEnd === undefined) return false;
    const late = offset - this.fastest > this.spreadMs + this.msPerTick;
    this.inBurst = late && nowMs - stallEnd < BURST_MS && this.stallEnds.length < STALLS_OFTEN;
    return this.inBurst;
  }

  private movePlayhead(nowMs: number, newest: number): number {
    const target = (nowMs - this.fastest - this.delayMs) / this.msPerTick;
    const elapsedMs = Math.max(0, nowMs - this.lastMs);
    this.lastMs = nowMs;
    if (this.playhead === null) {
      this.playhead = Math.min(target, newest);
      return this.playhead;
    }
    const elapsed = elapsedMs / this.msPerTick;
    const error = target - (this.playhead + elapsed);
    const most = elapsed * SLEW;
    const bend = Math.min(most, Math.max(-most, error));
    const behind = Math.max(0, error - HURRY_TICKS);
    const hurry = behind * (1 - 0.5 ** (elapsedMs / HURRY_HALF_LIFE_MS));
    this.playhead = Math.min(newest, this.playhead + elapsed + bend + hurry);
    return this.playhead;
  }
}
