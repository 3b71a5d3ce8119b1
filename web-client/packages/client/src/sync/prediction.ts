// Where to draw the own body: between the last two predicted ticks, plus what is left of the error that the last
// reconciliations corrected, which fades instead of jumping. A place has as many numbers as the game says.

export interface PredictedBody {
  /** The newest predicted row, integer fields as in its table. */
  readonly row: Int32Array;
  /** Where to draw it, in the order of the game's place. */
  readonly place: readonly number[];
}

/** Half of an error is gone after this long. */
const HALF_LIFE_MS = 60;

export class Prediction {
  /** The fields of a row that say where the body is. */
  private readonly fields: readonly number[];
  /** A larger error is no mistake to smooth over but a new place. */
  private readonly teleport: number;
  private previous: Int32Array | null = null;
  private current: Int32Array | null = null;
  private left: readonly number[];
  private lastMs = 0;
  private drawn: PredictedBody | null = null;
  /** Where the body was drawn when its connection was lost, until there is a prediction again. */
  private carried: PredictedBody | null = null;

  constructor(fields: readonly number[], teleport: number) {
    this.fields = fields;
    this.teleport = teleport;
    this.left = fields.map(() => 0);
  }

  /** How far the drawn place still is from the predicted one. */
  get error(): readonly number[] {
    return this.left;
  }

  clear(): void {
    this.settle(null);
    this.carried = null;
  }

  /** The same match goes on over a new connection: the body stays where it was drawn, then slides to where it is. */
  resume(): void {
    this.carried = this.drawn;
    this.settle(null);
  }

  /** The module stepped one tick on. */
  stepped(row: Int32Array | null): void {
    if (!row) {
      this.clear();
      return;
    }
    this.previous = this.current ?? row;
    this.current = row;
  }

  /** The module reconciled with a snapshot: `correction` is where the body was minus where it is now. */
  reconciled(row: Int32Array | null, correction: readonly number[]): void {
    if (!row) {
      this.clear();
      return;
    }
    if (!this.current || this.isTeleport(correction)) {
      this.settle(row);
      return;
    }
    if (this.previous) {
      const moved = this.previous.slice();
      this.fields.forEach((field, axis) => {
        moved[field] = (moved[field] ?? 0) - (correction[axis] ?? 0);
      });
      this.previous = moved;
    }
    this.current = row;
    const left = sum(this.left, correction);
    this.left = this.isTeleport(left) ? left.map(() => 0) : left;
  }

  /** `fraction` of the way from the tick before to the newest predicted tick. */
  sample(fraction: number, nowMs: number): PredictedBody | null {
    const { current } = this;
    const fade = 0.5 ** (Math.max(0, nowMs - this.lastMs) / HALF_LIFE_MS);
    this.lastMs = nowMs;
    this.left = this.left.map((error) => error * fade);
    if (!current) {
      this.drawn = this.carried;
      return this.drawn;
    }
    const previous = this.previous ?? current;
    const share = Math.min(1, Math.max(0, fraction));
    const place = this.fields.map((field) => {
      const before = previous[field] ?? 0;
      return before + ((current[field] ?? 0) - before) * share;
    });
    this.takeCarriedPlace(place);
    this.drawn = { row: current, place: sum(place, this.left) };
    return this.drawn;
  }

  /** The body is where `row` says from now on, without a way there. */
  private settle(row: Int32Array | null): void {
    this.previous = row;
    this.current = row;
    this.left = this.left.map(() => 0);
  }

  private takeCarriedPlace(place: readonly number[]): void {
    const { carried } = this;
    this.carried = null;
    if (!carried) return;
    const way = place.map((value, axis) => (carried.place[axis] ?? value) - value);
    if (!this.isTeleport(way)) this.left = way;
  }

  private isTeleport(way: readonly number[]): boolean {
    return Math.hypot(...way) > this.teleport;
  }
}

function sum(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, axis) => value + (other[axis] ?? 0));
}
