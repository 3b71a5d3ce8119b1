// Where to draw the own body: between the last two predicted ticks, plus what is left of the error that the last
// reconciliations corrected, which fades instead of jumping.

export interface BodyFields {
  readonly x: number;
  readonly y: number;
}

export interface PredictedBody {
  /** The newest predicted row, integer fields as in its table. */
  readonly row: Int32Array;
  readonly x: number;
  readonly y: number;
}

/** Half of an error is gone after this long. */
const HALF_LIFE_MS = 60;

export class Prediction {
  private readonly fields: BodyFields;
  /** A larger error is no mistake to smooth over but a new place. */
  private readonly teleport: number;
  private previous: Int32Array | null = null;
  private current: Int32Array | null = null;
  private errorX = 0;
  private errorY = 0;
  private lastMs = 0;
  private drawn: PredictedBody | null = null;
  /** Where the body was drawn when its connection was lost, until there is a prediction again. */
  private carried: PredictedBody | null = null;

  constructor(fields: BodyFields, teleport: number) {
    this.fields = fields;
    this.teleport = teleport;
  }

  /** How far the drawn place still is from the predicted one. */
  get error(): readonly [number, number] {
    return [this.errorX, this.errorY];
  }

  clear(): void {
    this.place(null);
    this.carried = null;
  }

  /** The same match goes on over a new connection: the body stays where it was drawn, then slides to where it is. */
  resume(): void {
    this.carried = this.drawn;
    this.place(null);
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
  reconciled(row: Int32Array | null, correction: readonly [number, number]): void {
    const [x, y] = correction;
    if (!row) {
      this.clear();
      return;
    }
    if (!this.current || Math.hypot(x, y) > this.teleport) {
      this.place(row);
      return;
    }
    if (this.previous) {
      const { fields } = this;
      const moved = this.previous.slice();
      moved[fields.x] = (moved[fields.x] ?? 0) - x;
      moved[fields.y] = (moved[fields.y] ?? 0) - y;
      this.previous = moved;
    }
    this.current = row;
    this.errorX += x;
    this.errorY += y;
    if (Math.hypot(this.errorX, this.errorY) > this.teleport) {
      this.errorX = 0;
      this.errorY = 0;
    }
  }

  /** `fraction` of the way from the tick before to the newest predicted tick. */
  sample(fraction: number, nowMs: number): PredictedBody | null {
    const { current, fields } = this;
    const fade = 0.5 ** (Math.max(0, nowMs - this.lastMs) / HALF_LIFE_MS);
    this.lastMs = nowMs;
    this.errorX *= fade;
    this.errorY *= fade;
    if (!current) {
      this.drawn = this.carried;
      return this.drawn;
    }
    const previous = this.previous ?? current;
    const at = (field: number): number => {
      const before = previous[field] ?? 0;
      return before + ((current[field] ?? 0) - before) * Math.min(1, Math.max(0, fraction));
    };
    const [x, y] = [at(fields.x), at(fields.y)];
    this.takeCarriedPlace(x, y);
    this.drawn = { row: current, x: x + this.errorX, y: y + this.errorY };
    return this.drawn;
  }

  /** The body is in this place from now on, without a way there. */
  private place(row: Int32Array | null): void {
    this.previous = row;
    this.current = row;
    this.errorX = 0;
    this.errorY = 0;
  }

  private takeCarriedPlace(x: number, y: number): void {
    const { carried } = this;
    this.carried = null;
    if (!carried || Math.hypot(carried.x - x, carried.y - y) > this.teleport) return;
    this.errorX = carried.x - x;
    this.errorY = carried.y - y;
  }
}
