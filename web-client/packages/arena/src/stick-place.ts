// Where a touch stick is drawn: at the finger, but whole on the screen, on its own side, and beside what else is there.
import type { Vector } from './controls';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const STICK_RADIUS_PX = 56;
/** Between a stick and everything else. */
const GAP_PX = 8;
/** Pushed away from one thing it may meet another. */
const ROUNDS = 4;

/** A place near `finger` where a stick of `side` covers nothing of `taken`, if there is one. */
export function stickPlace(finger: Vector, side: 'left' | 'right', screen: Vector, taken: readonly Box[]): Vector {
  const room = STICK_RADIUS_PX + GAP_PX;
  const half = screen.x / 2;
  const area: Box = {
    left: side === 'left' ? room : half + room,
    right: side === 'left' ? half - room : screen.x - room,
    top: room,
    bottom: screen.y - room,
  };
  let place = {
    x: Math.max(area.left, Math.min(area.right, finger.x)),
    y: Math.max(area.top, Math.min(area.bottom, finger.y)),
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const box of taken) place = pushed(place, box, room, area);
  }
  return place;
}

/** Out of the box by the shortest way that stays in the area, with `room` between. */
function pushed(place: Vector, box: Box, room: number, area: Box): Vector {
  const [left, right, top, bottom] = [box.left - room, box.right + room, box.top - room, box.bottom + room];
  if (place.x <= left || place.x >= right || place.y <= top || place.y >= bottom) return place;
  const ways = [
    { x: left, y: place.y },
    { x: right, y: place.y },
    { x: place.x, y: top },
    { x: place.x, y: bottom },
  ].filter(({ x, y }) => x >= area.left && x <= area.right && y >= area.top && y <= area.bottom);
  const length = (way: Vector): number => Math.hypot(way.x - place.x, way.y - place.y);
  return ways.sort((a, b) => length(a) - length(b))[0] ?? place;
}
