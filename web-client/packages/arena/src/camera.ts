// Where the camera looks and how close. Every screen shape sees about the same area, so that a phone is no handicap.
import type { Vector } from './controls';
import type { ArenaMap } from './map';

export interface View {
  readonly x: number;
  readonly y: number;
  /** Pixels per unit. */
  readonly scale: number;
}

/** Area seen, in units squared: that of 1500 x 940. */
const AREA = 1500 * 940;
/** Fighters get no smaller than this on small screens. */
const SCALE_MIN = 0.5;
/** Seen beyond the map's border. */
const MARGIN = 120;

export function followView(target: Vector, map: ArenaMap, width: number, height: number): View {
  const scale = Math.max(SCALE_MIN, Math.sqrt((width * height) / AREA));
  return {
    scale,
    x: clampAxis(target.x, map.width, width / scale),
    y: clampAxis(target.y, map.height, height / scale),
  };
}

export function wholeMapView(map: ArenaMap, width: number, height: number): View {
  const scale = Math.min(width / (map.width + 2 * MARGIN), height / (map.height + 2 * MARGIN));
  return { scale, x: map.width / 2, y: map.height / 2 };
}

/** Stops at the border instead of showing half a screen of nothing. */
function clampAxis(target: number, size: number, seen: number): number {
  const low = seen / 2 - MARGIN;
  const high = size + MARGIN - seen / 2;
  return low > high ? size / 2 : Math.min(high, Math.max(low, target));
}

/** Page pixels of a world place. */
export function toScreen(view: View, place: Vector, width: number, height: number): Vector {
  return { x: (place.x - view.x) * view.scale + width / 2, y: (place.y - view.y) * view.scale + height / 2 };
}
