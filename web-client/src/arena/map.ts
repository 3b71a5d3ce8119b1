// The arena's walls, as the browser module knows them.
import { ARENA_SIDE, SUBUNITS } from './generated';

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

interface MapJson {
  readonly width?: number;
  readonly height?: number;
  readonly walls: readonly Rect[];
}

/** Converts the module's map, in sixteenths of a unit, to units. */
export function parseMap(json: unknown): ArenaMap {
  const map = json as MapJson;
  const units = (value: number): number => value / SUBUNITS;
  return {
    width: map.width === undefined ? ARENA_SIDE : units(map.width),
    height: map.height === undefined ? ARENA_SIDE : units(map.height),
    walls: map.walls.map((wall) => ({ x: units(wall.x), y: units(wall.y), w: units(wall.w), h: units(wall.h) })),
  };
}

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
