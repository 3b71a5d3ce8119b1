// @ts-check
// The game that the Node arms serve: a simpler arena. As large as Tickwire's, with fighters and shots as fast; without walls, pickups
// and scores.

/** Units along each side of the square. */
export const SIDE = 4000;
export const TICK_RATE = 30;
export const SEAT_COUNT = 16;

/** Units per tick. */
const FIGHTER_SPEED = 10;
const SHOT_SPEED = 30;
/** About as long as a shot in Tickwire's arena flies before it meets a wall. */
const SHOT_TICKS = 19;
const HIT_DISTANCE = 24;
const DAMAGE = 16;
const FULL_HEALTH = 100;

/**
 * What a player holds down: x and y from -127 to 127, aim in 1/65536 turn.
 * @typedef {{ x: number, y: number, aim: number, fire: boolean }} Input
 * @typedef {{ x: number, y: number, aim: number, health: number }} Fighter
 * @typedef {{ x: number, y: number }} Shot
 * @typedef {{ id: string, owner: string, vx: number, vy: number, ticksLeft: number }} Flight
 */

/**
 * A map as far as the game needs it; Colyseus' own maps are one too.
 * @template T
 * @typedef {{ get(key: string): T | undefined, set(key: string, value: T): unknown, delete(key: string): unknown,
 *   [Symbol.iterator](): IterableIterator<[string, T]> }} Table
 */

/** Aim in radians. @param {number} aim */
export const radians = (aim) => (aim / 65536) * 2 * Math.PI;

export class World {
  /** What nobody needs to see of the shots in flight. @type {Flight[]} */
  #flights = [];
  #nextShot = 0;

  /**
   * @param {Table<Fighter>} fighters by player
   * @param {Table<Shot>} shots by id
   * @param {() => Shot} createShot
   */
  constructor(fighters, shots, createShot) {
    this.fighters = fighters;
    this.shots = shots;
    this.createShot = createShot;
  }

  /** @param {Fighter} fighter */
  spawn(fighter) {
    fighter.x = SIDE * (0.1 + 0.8 * Math.random());
    fighter.y = SIDE * (0.1 + 0.8 * Math.random());
    fighter.health = FULL_HEALTH;
  }

  /**
   * A tick of one fighter.
   * @param {string} player
   * @param {Fighter} fighter
   * @param {Input} input
   */
  act(player, fighter, input) {
    fighter.x = bounded(fighter.x + (input.x / 127) * FIGHTER_SPEED);
    fighter.y = bounded(fighter.y + (input.y / 127) * FIGHTER_SPEED);
    fighter.aim = radians(input.aim);
    if (input.fire) this.#fire(player, fighter, radians(input.aim));
  }

  /**
   * @param {string} owner
   * @param {Fighter} fighter
   * @param {number} angle
   */
  #fire(owner, fighter, angle) {
    const id = String(this.#nextShot);
    this.#nextShot = (this.#nextShot + 1) % 1000;
    const shot = this.createShot();
    shot.x = fighter.x;
    shot.y = fighter.y;
    this.shots.set(id, shot);
    this.#flights.push({ id, owner, vx: Math.cos(angle) * SHOT_SPEED, vy: Math.sin(angle) * SHOT_SPEED, ticksLeft: SHOT_TICKS });
  }

  /** A tick of all shots. */
  moveShots() {
    // Looked at once, not once for every shot: reading a synchronised field costs more than reading a number.
    const targets = Array.from(this.fighters, ([player, fighter]) => ({ player, fighter, x: fighter.x, y: fighter.y }));
    this.#flights = this.#flights.filter((flight) => {
      const goesOn = this.#fly(flight, targets);
      if (!goesOn) this.shots.delete(flight.id);
      return goesOn;
    });
  }

  /**
   * @param {Flight} flight
   * @param {{ player: string, fighter: Fighter, x: number, y: number }[]} targets
   */
  #fly(flight, targets) {
    const shot = this.shots.get(flight.id);
    if (shot === undefined) return false;
    flight.ticksLeft -= 1;
    const x = shot.x + flight.vx;
    const y = shot.y + flight.vy;
    if (flight.ticksLeft <= 0 || x < 0 || y < 0 || x > SIDE || y > SIDE) return false;
    shot.x = x;
    shot.y = y;
    /** @param {{ x: number, y: number }} target */
    const isNear = (target) => Math.abs(target.x - x) < HIT_DISTANCE && Math.abs(target.y - y) < HIT_DISTANCE;
    const victim = targets.find((target) => isNear(target) && target.player !== flight.owner)?.fighter;
    if (victim === undefined) return true;
    victim.health -= DAMAGE;
    if (victim.health <= 0) this.spawn(victim);
    return false;
  }
}

/** Those who run into a border stay inside. @param {number} coordinate */
function bounded(coordinate) {
  return Math.min(Math.max(coordinate, 0), SIDE);
}
