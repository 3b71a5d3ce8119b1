// Damage numbers, added up: one for each fighter while it is being hit, which then floats off. No
// drawing here.

/** Without another hit for this long, a number is finished. */
const HOLD_MS = 1_200;
export const FLOAT_MS = 700;
/** As many fight on one screen; the oldest number gives way. */
const NUMBERS_MAX = 32;

export interface DamageNumber {
  readonly id: number;
  readonly victim: number;
  readonly sum: number;
  readonly lastHitMs: number;
  /** When it began to float off; null while it grows. */
  readonly floatsMs: number | null;
}

export class DamageTally {
  private numbers: DamageNumber[] = [];
  private nextId = 0;

  add(victim: number, damage: number, nowMs: number): void {
    const growing = this.numbers.find((number) => number.victim === victim && number.floatsMs === null);
    if (growing) {
      this.replace(growing, { ...growing, sum: growing.sum + damage, lastHitMs: nowMs });
      return;
    }
    this.numbers.push({ id: this.nextId, victim, sum: damage, lastHitMs: nowMs, floatsMs: null });
    this.nextId += 1;
    if (this.numbers.length > NUMBERS_MAX) this.numbers.shift();
  }

  /** The victim fell: nothing is added to its number any more. */
  finish(victim: number, nowMs: number): void {
    for (const number of this.numbers) {
      if (number.victim === victim && number.floatsMs === null) this.replace(number, { ...number, floatsMs: nowMs });
    }
  }

  /** All that are to be seen now. */
  shown(nowMs: number): readonly DamageNumber[] {
    this.numbers = this.numbers
      .map((number) => {
        const isFinished = number.floatsMs === null && nowMs - number.lastHitMs >= HOLD_MS;
        return isFinished ? { ...number, floatsMs: nowMs } : number;
      })
      .filter(({ floatsMs }) => floatsMs === null || nowMs - floatsMs < FLOAT_MS);
    return this.numbers;
  }

  clear(): void {
    this.numbers = [];
  }

  private replace(old: DamageNumber, now: DamageNumber): void {
    this.numbers = this.numbers.map((number) => (number === old ? now : number));
  }
}
