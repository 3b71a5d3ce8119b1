// What the page knows of the game `arena`. Generated: `cargo run -p arena --example page` writes it.

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
export const FIRE = 1;
export const DASH = 2;

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

/** What the input is made of, in order. */
export const INPUT_FIELDS = ['move_x', 'move_y', 'aim', 'buttons'] as const;

/** What happens and is told once. */
export type GameEvent =
  | { readonly kind: 'kill'; readonly killer: number; readonly victim: number; readonly left: number }
  | { readonly kind: 'pickup'; readonly player: number; readonly pickup: number }
  | { readonly kind: 'hit'; readonly victim: number; readonly by: number; readonly damage: number };
