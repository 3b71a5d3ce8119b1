// From keys, mouse and fingers to the arena's input: a move vector, an aim and its buttons. Mapping only; listening is
// `capture.ts`.
import { AIM_UNITS, PUSH_MAX, type Button } from './generated';

export interface Vector {
  readonly x: number;
  readonly y: number;
}

type Action = 'up' | 'down' | 'left' | 'right' | Button;

/** By place on the keyboard, so that WASD is ZQSD on a French one. */
const KEYS: Readonly<Record<string, Action>> = {
  KeyW: 'up',
  ArrowUp: 'up',
  KeyS: 'down',
  ArrowDown: 'down',
  KeyA: 'left',
  ArrowLeft: 'left',
  KeyD: 'right',
  ArrowRight: 'right',
  Space: 'dash',
  ShiftLeft: 'dash',
  ShiftRight: 'dash',
  KeyJ: 'fire',
  KeyF: 'fire',
};

export function actionOf(code: string): Action | null {
  return KEYS[code] ?? null;
}

/** The mouse's buttons, left, middle and right. */
export const MOUSE: readonly (Button | null)[] = ['fire', null, 'dash'];

/** Opposite keys cancel; a diagonal is no faster than a straight. */
export function keysToMove(held: ReadonlySet<string>): Vector {
  let x = 0;
  let y = 0;
  const actions = new Set([...held].map(actionOf));
  if (actions.has('left')) x -= 1;
  if (actions.has('right')) x += 1;
  if (actions.has('up')) y -= 1;
  if (actions.has('down')) y += 1;
  return scaleToMove({ x, y });
}

/** A stick's deflection: nothing inside the dead zone, full at the rim. */
export function stickToMove(dx: number, dy: number, radius: number, deadZone = 0.15): Vector {
  const length = Math.hypot(dx, dy) / radius;
  if (length < deadZone) return { x: 0, y: 0 };
  const strength = Math.min(1, (length - deadZone) / (1 - deadZone));
  const scale = strength / (length * radius);
  return scaleToMove({ x: dx * scale, y: dy * scale });
}

function scaleToMove({ x, y }: Vector): Vector {
  const length = Math.hypot(x, y);
  if (length === 0) return { x: 0, y: 0 };
  const scale = PUSH_MAX / Math.max(1, length);
  // Without adding 0, rounding makes a -0.
  return { x: Math.round(x * scale) + 0, y: Math.round(y * scale) + 0 };
}

/** Direction as a fraction of a turn; null for no direction. */
export function aimOf(dx: number, dy: number): number | null {
  if (dx === 0 && dy === 0) return null;
  const turn = Math.atan2(dy, dx) / (2 * Math.PI);
  return Math.round((turn < 0 ? turn + 1 : turn) * AIM_UNITS) % AIM_UNITS;
}
