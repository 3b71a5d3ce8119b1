// How the own fighter goes over from being predicted to being drawn as others are, and back:
// smoothly, because the two differ by all that is on the way to the server and back.

const BLEND_MS = 300;

export class StandInBlend {
  private done = 0;
  private lastMs: number | null = null;

  /**
   * 0: as predicted; 1: as in the snapshots. `standIn` says whether somebody else plays the seat.
   */
  share(standIn: boolean, nowMs: number): number {
    // What was never drawn needs no transition.
    const elapsedMs = this.lastMs === null ? BLEND_MS : Math.max(0, nowMs - this.lastMs);
    this.lastMs = nowMs;
    const change = elapsedMs / BLEND_MS;
    this.done = standIn ? Math.min(1, this.done + change) : Math.max(0, this.done - change);
    return this.done * this.done * (3 - 2 * this.done);
  }
}
