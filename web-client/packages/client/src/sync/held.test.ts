import { describe, expect, it } from 'vitest';
import { HeldInput, REPEAT_TICKS } from './held';

/** What a server that holds the last input makes of what is sent. */
function applied(decided: readonly (readonly number[])[]): { inputs: (readonly number[] | null)[]; sent: number } {
  const held = new HeldInput();
  let last: readonly number[] | null = null;
  let sent = 0;
  const inputs = decided.map((fields, tick) => {
    if (held.mustSend(tick + 1, fields)) {
      last = [...fields];
      sent += 1;
    }
    return last;
  });
  return { inputs, sent };
}

describe('HeldInput', () => {
  it('gives every tick the input decided for it', () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 16) % below;
    };
    let fields = [0, 0];
    const decided = Array.from({ length: 2_000 }, () => {
      if (random(4) === 0) fields = [random(3), random(2)];
      return fields;
    });
    const { inputs, sent } = applied(decided);
    expect(inputs).toEqual(decided);
    expect(sent).toBeLessThan(decided.length / 2);
  });

  it('repeats an unchanged input now and then', () => {
    const decided = Array.from({ length: 4 * REPEAT_TICKS }, () => [1]);
    expect(applied(decided).sent).toBe(4);
  });

  it('keeps a copy of its own', () => {
    const held = new HeldInput();
    const fields = [1];
    expect(held.mustSend(1, fields)).toBe(true);
    fields[0] = 2;
    expect(held.mustSend(2, fields)).toBe(true);
  });

  it('sends the first input of every session', () => {
    const held = new HeldInput();
    held.mustSend(1, [0]);
    held.restart();
    expect(held.mustSend(2, [0])).toBe(true);
  });
});
