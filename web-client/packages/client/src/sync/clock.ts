// Keeps this page's tick ahead of the server's, so that the input meant for a tick arrives just before the server
// simulates it. Steered by the margin the server reports: late inputs speed the clock up, needlessly early ones slow
// it down.
//
// Invariant: `advance` never goes back, so no tick gets two inputs.
import type { Pong } from '../replica/control';
import { INPUT_LEAD_TICKS_MAX, TICK_PARTS } from '../replica/generated';

/** How fast the clock may be bent: a tenth is not felt. */
const SLEW = 0.1;
/** When inputs are late, every tick of delay is felt, so it hurries. */
const SLEW_LATE = 0.35;
/** Beyond this error bending takes too long: jump. */
const JUMP_TICKS = 6;
/** How early inputs should arrive at the least. Grows when some are late, shrinks slowly while none are. */
const SAFETY_MIN_TICKS = 0.6;
const SAFETY_MAX_TICKS = 5;
const SAFETY_STEP_UP = 0.5;
const SAFETY_STEP_DOWN = 0.03;
/** The server ignores inputs further ahead than it says: a little less, because what is known of it is old. */
const LEAD_MAX_TICKS = INPUT_LEAD_TICKS_MAX - 4;
/** Lead before the round trip is known. */
const FIRST_LEAD_TICKS = 3;
/** An input later than this tells of a stall, unless the next one is as late. */
const STALL_TICKS = 6;
/** An echo so much slower than the others was held back by a stall: what it says of the server's clock is old. */
const STALL_MS = 400;
/** The median of so many: a page that was busy when one echo came (it is, while it starts) shows no false delay. */
const RTT_SAMPLES = 5;

export class TickClock {
  readonly msPerTick: number;
  private value: number;
  private lastMs: number;
  /** Ticks still to be bent in. */
  private pending = 0;
  private safety = SAFETY_MIN_TICKS;
  /** Newest last. */
  private readonly rttSamples: number[] = [];
  private margin: number | null = null;
  private doubts = false;
  private serverAnchor: { readonly tick: number; readonly ms: number };

  constructor(tickRate: number, tick: number, nowMs: number) {
    this.msPerTick = 1000 / tickRate;
    this.value = tick + FIRST_LEAD_TICKS;
    this.lastMs = nowMs;
    this.serverAnchor = { tick, ms: nowMs };
  }

  /** Round-trip time, or null before the first pong. */
  get rttMs(): number | null {
    return median(this.rttSamples);
  }

  /** How early the latest of the recent inputs arrived, in ticks; negative: late; null: none arrived. */
  get marginTicks(): number | null {
    return this.margin;
  }

  /** Moves to `nowMs` and returns the tick inputs are meant for, with its fraction. */
  advance(nowMs: number): number {
    const elapsed = Math.max(0, (nowMs - this.lastMs) / this.msPerTick);
    this.lastMs = Math.max(this.lastMs, nowMs);
    const most = elapsed * (this.pending > 1 ? SLEW_LATE : SLEW);
    const bend = clamp(this.pending, -most, most);
    this.pending -= bend;
    this.value += elapsed + bend;
    return this.value;
  }

  /** The server's tick now, as far as this page can know. */
  serverTick(nowMs: number): number {
    return this.serverAnchor.tick + (nowMs - this.serverAnchor.ms) / this.msPerTick;
  }

  /** Whether a server at `tick` is where this clock takes it to be, so that all it has learned still holds. */
  agrees(tick: number, nowMs: number): boolean {
    const wayTicks = (this.rttMs ?? 0) / this.msPerTick;
    return Math.abs(this.serverTick(nowMs) - tick) < JUMP_TICKS + wayTicks;
  }

  onPong(pong: Pong, nowMs: number): void {
    this.advance(nowMs);
    const first = this.rttSamples.length === 0;
    if (this.measureRtt(pong, nowMs) === 'held back') return;
    const oneWay = (this.rttMs ?? 0) / 2 / this.msPerTick;
    this.serverAnchor = { tick: pong.tick + (pong.phase + pong.held) / TICK_PARTS + oneWay, ms: nowMs };
    this.margin = pong.margin === null ? null : pong.margin / TICK_PARTS;
    if (this.margin === null || first) {
      this.steer(this.serverAnchor.tick + oneWay + 1 + this.safety - this.value);
      return;
    }
    // A clock set by one stall would make every input early for seconds after it.
    const stalled = this.margin < -STALL_TICKS && !this.doubts;
    this.doubts = stalled;
    if (stalled) return;
    this.safety = clamp(
      this.safety + (this.margin < 0 ? SAFETY_STEP_UP : -SAFETY_STEP_DOWN),
      SAFETY_MIN_TICKS,
      SAFETY_MAX_TICKS,
    );
    const error = this.safety - this.margin;
    // What is measured is a round trip old: undoing all of a surplus at once would swing.
    this.steer(error > 0 ? error : error / 2);
  }

  private measureRtt(pong: Pong, nowMs: number): 'in time' | 'held back' {
    // The echo is the lower 32 bits of whole milliseconds.
    const elapsed = (Math.floor(nowMs) - pong.clientTimeMs) >>> 0;
    if (elapsed > 60_000) return 'in time';
    const sample = Math.max(0, elapsed - (pong.held / TICK_PARTS) * this.msPerTick);
    const before = this.rttMs;
    this.rttSamples.push(sample);
    if (this.rttSamples.length > RTT_SAMPLES) this.rttSamples.shift();
    return before !== null && sample > before + STALL_MS ? 'held back' : 'in time';
  }

  private steer(error: number): void {
    const most = this.serverAnchor.tick + LEAD_MAX_TICKS - this.value;
    const wanted = Math.min(error, most);
    if (wanted > JUMP_TICKS) {
      this.value += wanted;
      this.pending = 0;
    } else {
      this.pending = wanted;
    }
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
