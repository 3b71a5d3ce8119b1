import { describe, expect, it } from 'vitest';
import type { Pong } from '../replica/control';
import { TickClock } from './clock';

const MS_PER_TICK = 1000 / 30;

function pongAt(atServerMs: number, sentMs: number, marginTicks: number | null): Pong {
  const tick = atServerMs / MS_PER_TICK;
  return {
    type: 'pong',
    clientTimeMs: Math.floor(sentMs),
    tick: Math.floor(tick),
    phase: Math.floor((tick % 1) * 256),
    held: 0,
    margin: marginTicks === null ? null : Math.round(marginTicks * 256),
    lastInputSeq: 0,
  };
}

/**
 * Drives the clock against a server whose tick T begins at T / 30 s, `oneWayMs` away in each direction. Returns the least
 * margin of the inputs of the last second, in ticks.
 */
function drive(clock: TickClock, oneWayMs: number, fromMs: number, seconds: number): number {
  const pongs: { readonly atMs: number; readonly pong: Pong }[] = [];
  const untilMs = fromMs + seconds * 1000;
  let lastTick = Math.floor(clock.advance(fromMs));
  let margins: number[] = [];
  const lastSecond: number[] = [];
  for (let ms = fromMs; ms < untilMs; ms += 10) {
    for (const { pong } of pongs.filter(({ atMs }) => atMs === ms)) clock.onPong(pong, ms);
    const tick = Math.floor(clock.advance(ms));
    for (let next = lastTick + 1; next <= tick; next += 1) {
      const margin = next - (ms + oneWayMs) / MS_PER_TICK;
      margins.push(margin);
      if (ms > untilMs - 1000) lastSecond.push(margin);
    }
    lastTick = tick;
    if (ms % 250 === 0) {
      pongs.push({
        atMs: ms + 2 * oneWayMs,
        pong: pongAt(ms + oneWayMs, ms, margins.length === 0 ? null : Math.min(...margins)),
      });
      margins = [];
    }
  }
  return Math.min(...lastSecond);
}

describe('TickClock', () => {
  it.each([5, 60, 150])('settles just ahead of a server %i ms away', (oneWayMs) => {
    const clock = new TickClock(30, 300, 10_000);
    const margin = drive(clock, oneWayMs, 10_000, 20);
    expect(margin).toBeGreaterThan(0);
    expect(margin).toBeLessThan(3);
  });

  it('catches up after the way got longer', () => {
    const clock = new TickClock(30, 300, 10_000);
    drive(clock, 20, 10_000, 10);
    const margin = drive(clock, 120, 20_000, 10);
    expect(margin).toBeGreaterThan(0);
  });

  it('never goes back', () => {
    const clock = new TickClock(30, 300, 10_000);
    let last = 0;
    for (let ms = 10_000; ms < 12_000; ms += 16) {
      // Inputs that arrive absurdly early make it slow down, not turn round.
      if (ms % 160 === 0) clock.onPong(pongAt(ms, ms, 20), ms);
      const tick = clock.advance(ms);
      expect(tick).toBeGreaterThanOrEqual(last);
      last = tick;
    }
  });

  it('stays within the lead the server accepts', () => {
    const clock = new TickClock(30, 300, 10_000);
    clock.onPong(pongAt(10_010, 10_000, -100), 10_020);
    clock.onPong(pongAt(10_030, 10_020, -100), 10_040);
    expect(clock.advance(10_060) - clock.serverTick(10_060)).toBeLessThanOrEqual(29);
  });

  it('is not set by a stall, only by inputs that go on being late', () => {
    const clock = new TickClock(30, 300, 10_000);
    drive(clock, 20, 10_000, 5);
    const lead = clock.advance(15_000) - 15_000 / MS_PER_TICK;
    clock.onPong(pongAt(15_020, 15_000, -150), 15_040);
    expect(clock.advance(15_100) - 15_100 / MS_PER_TICK).toBeCloseTo(lead, 0);
    clock.onPong(pongAt(15_120, 15_100, -10), 15_140);
    expect(clock.advance(15_200) - 15_200 / MS_PER_TICK).toBeGreaterThan(lead + 8);
  });

  it('does not take the server to be where an answer that was held back left it', () => {
    const clock = new TickClock(30, 300, 10_000);
    drive(clock, 20, 10_000, 5);
    const before = clock.serverTick(17_000);
    clock.onPong(pongAt(15_020, 15_000, 1), 17_000);
    expect(clock.serverTick(17_000)).toBeCloseTo(before, 5);
  });

  it('knows whether a server went on as it did itself', () => {
    const clock = new TickClock(30, 300, 10_000);
    drive(clock, 50, 10_000, 5);
    expect(clock.agrees(Math.floor(19_950 / MS_PER_TICK), 20_000)).toBe(true);
    expect(clock.agrees(Math.floor(16_000 / MS_PER_TICK), 20_000), 'its match stood still meanwhile').toBe(false);
  });

  it('measures the round trip and ignores an echo from another life', () => {
    const clock = new TickClock(30, 300, 10_000);
    clock.onPong(pongAt(10_040, 10_000, null), 10_080);
    expect(clock.rttMs).toBe(80);
    clock.onPong(pongAt(10_040, 4_000_000_000, null), 10_100);
    expect(clock.rttMs).toBe(80);
  });

  it('does not count the time a server waited for its next frame', () => {
    const [prompt, patient] = [new TickClock(30, 300, 10_000), new TickClock(30, 300, 10_000)];
    prompt.onPong(pongAt(10_040, 10_000, null), 10_080);
    patient.onPong({ ...pongAt(10_040, 10_000, null), held: 192 }, 10_105);
    expect(patient.rttMs).toBe(80);
    expect(patient.serverTick(10_200)).toBeCloseTo(prompt.serverTick(10_200), 5);
  });
});
