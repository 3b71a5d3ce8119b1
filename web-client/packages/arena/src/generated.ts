// What the page knows of the game `arena`. Generated: `cargo xtask bindings` writes it.

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

/** The tables of a snapshot, and their fields. */
export interface Fields {
  readonly match: 'phase' | 'phase_ends';
  readonly fighter:
    | 'player'
    | 'vx'
    | 'vy'
    | 'x'
    | 'y'
    | 'aim'
    | 'health'
    | 'dash_ready'
    | 'fire_ready'
    | 'overcharge_until'
    | 'protected_until';
  readonly shot: 'owner' | 'born' | 'damage' | 'vx' | 'vy' | 'x' | 'y';
  readonly pickup: 'kind' | 'x' | 'y';
  readonly score: 'player' | 'score' | 'kills' | 'deaths' | 'respawn_at';
  readonly zone: 'x' | 'y' | 'growth' | 'radius' | 'alive';
  readonly leader: 'rank' | 'player' | 'score' | 'kills';
}

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

/** What answers the questions below with the game's own code: the browser module. */
export interface Answers {
  ask(question: number, ...numbers: readonly number[]): Int32Array;
}

export const map = (module: Answers): Int32Array => module.ask(0);
export const shotFlight = (module: Answers, x: number, y: number, aim: number, age: number): Int32Array =>
  module.ask(1, x, y, aim, age);

/** What happens and is told once. */
export type GameEvent =
  | { readonly kind: 'kill'; readonly killer: number; readonly victim: number; readonly left: number }
  | { readonly kind: 'pickup'; readonly player: number; readonly pickup: number }
  | { readonly kind: 'hit'; readonly victim: number; readonly by: number; readonly damage: number };
