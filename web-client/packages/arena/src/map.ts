// The arena's walls, as the browser module knows them.
import type { Answers } from '@tickwire/client';
import { ARENA_SIDE, SUBUNITS, map } from './generated';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface ArenaMap {
  readonly width: number;
  readonly height: number;
  readonly walls: readonly Rect[];
}

/** The map of the match's mode, in units. */
export function readMap(module: Answers): ArenaMap {
  const [width = ARENA_SIDE, height = ARENA_SIDE, ...sides] = Array.from(map(module), (value) => value / SUBUNITS);
  const walls = Array.from({ length: Math.floor(sides.length / WALL_NUMBERS) }, (_, wall) => {
    const [x = 0, y = 0, w = 0, h = 0] = sides.slice(wall * WALL_NUMBERS);
    return { x, y, w, h };
  });
  return { width, height, walls };
}

/** Place and size. */
const WALL_NUMBERS = 4;

/** Whether the straight way between two points passes a wall or leaves the map. */
export function blocked(map: ArenaMap, x0: number, y0: number, x1: number, y1: number): boolean {
  if (x1 < 0 || y1 < 0 || x1 > map.width || y1 > map.height) return true;
  return map.walls.some((wall) => crosses(wall, x0, y0, x1, y1));
}

/** Clips the segment against the rectangle's slabs. */
function crosses(wall: Rect, x0: number, y0: number, x1: number, y1: number): boolean {
  let enter = 0;
  let leave = 1;
  for (const [start, delta, low, high] of [
    [x0, x1 - x0, wall.x, wall.x + wall.w],
    [y0, y1 - y0, wall.y, wall.y + wall.h],
  ] as const) {
    if (delta === 0) {
      if (start < low || start > high) return false;
      continue;
    }
    const first = (low - start) / delta;
    const second = (high - start) / delta;
    enter = Math.max(enter, Math.min(first, second));
    leave = Math.min(leave, Math.max(first, second));
  }
  return enter <= leave;
}
