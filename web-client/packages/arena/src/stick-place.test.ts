import { describe, expect, it } from 'vitest';
import { STICK_RADIUS_PX, stickPlace, type Box } from './stick-place';

const PORTRAIT = { x: 390, y: 844 };
const DASH: Box = { left: 290, top: 560, right: 366, bottom: 636 };

function covers(place: { x: number; y: number }, box: Box): boolean {
  return (
    place.x + STICK_RADIUS_PX > box.left &&
    place.x - STICK_RADIUS_PX < box.right &&
    place.y + STICK_RADIUS_PX > box.top &&
    place.y - STICK_RADIUS_PX < box.bottom
  );
}

describe('stickPlace', () => {
  it('is at the finger where there is room', () => {
    expect(stickPlace({ x: 90, y: 700 }, 'left', PORTRAIT, [DASH])).toEqual({ x: 90, y: 700 });
  });

  it('keeps whole on the screen and on its side', () => {
    expect(stickPlace({ x: 2, y: 842 }, 'left', PORTRAIT, [])).toEqual({ x: 64, y: 780 });
    expect(stickPlace({ x: 196, y: 400 }, 'right', PORTRAIT, []).x).toBeGreaterThanOrEqual(195 + STICK_RADIUS_PX);
    expect(stickPlace({ x: 194, y: 400 }, 'left', PORTRAIT, []).x).toBeLessThanOrEqual(195 - STICK_RADIUS_PX);
  });

  it('never covers the dash button, wherever the finger lands', () => {
    for (let x = 196; x < 390; x += 7) {
      for (let y = 0; y < 844; y += 7) {
        expect(covers(stickPlace({ x, y }, 'right', PORTRAIT, [DASH]), DASH), `${x}, ${y}`).toBe(false);
      }
    }
  });

  it('finds a way between two things', () => {
    const bars: Box = { left: 80, top: 780, right: 310, bottom: 830 };
    const place = stickPlace({ x: 300, y: 800 }, 'right', PORTRAIT, [DASH, bars]);
    expect([covers(place, DASH), covers(place, bars)]).toEqual([false, false]);
  });
});
