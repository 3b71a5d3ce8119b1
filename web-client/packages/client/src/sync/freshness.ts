// How long the page has been without a snapshot while it could have got one.
//
// Invariant: time in which the page did not run (asleep, frozen, throttled) does not count, so waking up shows no stall
// that nobody sat through.

/** Asked at least this often while awake. */
const AWAKE_MS = 400;

export class Freshness {
  private seen: number | null = null;
  private stale = 0;
  private lastMs: number | null = null;

  /** Milliseconds without a snapshot. `snapshotMs` is when the newest one came, null before the first. */
  update(snapshotMs: number | null, nowMs: number): number {
    const elapsed = Math.min(AWAKE_MS, nowMs - (this.lastMs ?? nowMs));
    this.lastMs = nowMs;
    if (snapshotMs !== this.seen && snapshotMs !== null) {
      this.stale = Math.min(AWAKE_MS, Math.max(0, nowMs - snapshotMs));
    } else {
      this.stale += elapsed;
    }
    this.seen = snapshotMs;
    return this.stale;
  }

  /** Another session begins. */
  restart(): void {
    this.seen = null;
    this.stale = 0;
    this.lastMs = null;
  }
}
