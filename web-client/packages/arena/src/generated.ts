// What the page knows of the game `arena`. Generated: `cargo xtask bindings` writes it.
import type { Answers, GameBindings } from '@tickwire/client';

/** The game, as the server names it. */
export const NAME = 'arena';

/** The ways to play, the usual one first. */
export const MODES = ['ffa', 'royale'] as const;

export const SUBUNITS = 16;
export const AIM_TURN = 1024;
export const FIGHTER_RADIUS = 20;
export const SHOT_RADIUS = 4;
export const SHOT_SPEED = 30;
export const HEALTH_MAX = 100;
export const DASH_COOLDOWN_TICKS = 75;
export const OVERCHARGE_TICKS = 240;
export const PROTECTION_TICKS = 60;
export const KILL_SCORE = 50;
export const ARENA_SIDE = 4000;
export const PUSH_MAX = 127;
export const AIM_UNITS = 65536;

/** The tables of a snapshot, and their fields in order. */
export const TABLES = {
  match: ['phase', 'phase_ends'],
  fighter: [
    'player',
    'vx',
    'vy',
    'x',
    'y',
    'aim',
    'health',
    'dash_ready',
    'fire_ready',
    'overcharge_until',
    'protected_until',
  ],
  shot: ['owner', 'born', 'damage', 'vx', 'vy', 'x', 'y'],
  pickup: ['kind', 'x', 'y'],
  score: ['player', 'score', 'kills', 'deaths', 'respawn_at'],
  zone: ['x', 'y', 'growth', 'radius', 'alive'],
  leader: ['rank', 'player', 'score', 'kills'],
} as const;

/** The table whose row is predicted for the own player, and the fields that say where it is. */
export const BODY = { table: 'fighter', place: ['x', 'y'] } as const;

/** What a player holds down during a tick. */
export interface Input {
  /** -128 to 127. */
  readonly move_x: number;
  /** -128 to 127. */
  readonly move_y: number;
  /** 0 to 65535. */
  readonly aim: number;
  readonly fire: boolean;
  readonly dash: boolean;
}

/** The numbers of an input, in the order in which the browser module takes them. */
export const inputNumbers = (input: Input): readonly number[] => [
  input.move_x,
  input.move_y,
  input.aim,
  (input.fire ? 1 : 0) | (input.dash ? 2 : 0),
];

/** What of an input is held or not. */
export const BUTTONS = ['fire', 'dash'] as const;
export type Button = (typeof BUTTONS)[number];

// Questions that the game's own code answers, in the browser module.
export const map = (module: Answers): Int32Array => module.ask(0);
export const shotFlight = (module: Answers, x: number, y: number, aim: number, age: number): Int32Array =>
  module.ask(1, x, y, aim, age);

/** What happens and is told once. */
export type GameEvent =
  | { readonly kind: 'kill'; readonly killer: number; readonly victim: number; readonly left: number }
  | { readonly kind: 'pickup'; readonly player: number; readonly pickup: number }
  | { readonly kind: 'hit'; readonly victim: number; readonly by: number; readonly damage: number };

/** What the client must know to play it. */
export const game: GameBindings<typeof TABLES, Input, GameEvent> = {
  name: NAME,
  tables: TABLES,
  body: BODY,
  inputNumbers,
};
