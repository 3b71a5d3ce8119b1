import { describe, expect, it } from 'vitest';
import { announcement } from './announcements';
import type { HudModel } from './hud-model';

const LIVE: HudModel = {
  phase: 'live',
  timer: '2:10',
  notice: '',
  health: 100,
  alive: true,
  dash: 1,
  overcharged: false,
  isProtected: false,
  score: 0,
  rank: 1,
  lines: [],
  survivors: null,
};

describe('announcement', () => {
  it('tells a phase when it begins, and not again', () => {
    const countdown: HudModel = { ...LIVE, phase: 'countdown', timer: '0:03', notice: 'Starts in 3' };
    expect(announcement(null, countdown)).toBe('Starts in 3 seconds.');
    expect(announcement(countdown, { ...countdown, timer: '0:02', notice: 'Starts in 2' })).toBe('');
    expect(announcement(countdown, LIVE)).toBe('The match is on.');
  });

  it('does not count the tenths of a second until one is back', () => {
    const dead: HudModel = { ...LIVE, alive: false, health: 0, notice: 'Back in 3.0 s' };
    expect(announcement(LIVE, dead), 'the note of the kill says it').toBe('');
    expect(announcement(dead, { ...dead, notice: 'Back in 2.9 s' })).toBe('');
    expect(announcement(dead, LIVE)).toBe('You are back.');
  });

  it('says when one is out for good', () => {
    expect(
      announcement({ ...LIVE, survivors: 9 }, { ...LIVE, alive: false, survivors: 8, notice: 'You are out' }),
    ).toBe('You are out.');
  });

  it('warns twice of the end', () => {
    const at = (timer: string): HudModel => ({ ...LIVE, timer });
    expect(announcement(at('1:01'), at('1:00'))).toBe('One minute left.');
    expect(announcement(at('1:00'), at('1:00'))).toBe('');
    expect(announcement(at('1:00'), at('0:59'))).toBe('');
    expect(announcement(at('0:11'), at('0:10'))).toBe('Ten seconds left.');
  });

  it('leaves the end to the results', () => {
    expect(announcement(LIVE, { ...LIVE, phase: 'finished' })).toBe('');
  });
});
