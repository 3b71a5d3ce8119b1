// Own shots from the moment they are fired: flown by the module, as the server will, until a snapshot contains them.
import { INPUT_LEAD_TICKS_MAX, type Replica } from '@tickwire/client';
import { AIM_TURN, SHOT_SPEED, SUBUNITS, shotFlight } from './generated';
import { ownShotId, type SceneShot } from './scene';
import type { ArenaTables, MuzzleRow } from './tables';

interface Fired extends MuzzleRow {
  readonly tick: number;
}

export class FiredShots {
  private readonly tables: ArenaTables;
  private readonly replica: Replica;
  private fired: Fired[] = [];
  private fireReady: number | null = null;

  constructor(tables: ArenaTables, replica: Replica) {
    this.tables = tables;
    this.replica = replica;
  }

  clear(): void {
    this.fired = [];
    this.fireReady = null;
  }

  /** The prediction got to `tick`. A cooldown that was started anew tells of a shot. */
  stepped(tick: number, row: Int32Array | null): void {
    if (!row) {
      this.clear();
      return;
    }
    const muzzle = this.tables.muzzle(row);
    if (this.fireReady !== null && muzzle.fireReady !== this.fireReady) this.fired.push({ ...muzzle, tick });
    if (this.fired.length > INPUT_LEAD_TICKS_MAX) this.fired.shift();
    this.fireReady = muzzle.fireReady;
  }

  /** Those fired after the newest snapshot, where they are at `drawnTick`. */
  shots(latestTick: number, drawnTick: number, player: number): SceneShot[] {
    this.fired = this.fired.filter((shot) => shot.tick > latestTick);
    return this.fired.flatMap((shot) => this.flight(shot, drawnTick, player) ?? []);
  }

  private flight(shot: Fired, drawnTick: number, player: number): SceneShot | null {
    const age = drawnTick - shot.tick;
    // Before the end of its first tick it is on the way from the muzzle to there.
    if (age < -1) return null;
    const whole = Math.floor(age);
    const [x0, y0, flies] = whole < 0 ? [shot.x, shot.y, 1] : this.place(shot, whole);
    if (flies === 0) return null;
    const [x1, y1] = this.place(shot, whole + 1);
    const part = age - whole;
    const angle = (shot.aim / AIM_TURN) * 2 * Math.PI;
    return {
      id: ownShotId(shot.tick),
      owner: player,
      own: true,
      x: (x0 + (x1 - x0) * part) / SUBUNITS,
      y: (y0 + (y1 - y0) * part) / SUBUNITS,
      vx: SHOT_SPEED * Math.cos(angle),
      vy: SHOT_SPEED * Math.sin(angle),
    };
  }

  private place(shot: Fired, age: number): readonly [number, number, number] {
    const [x = 0, y = 0, flies = 0] = shotFlight(this.replica, shot.x, shot.y, shot.aim, age);
    return [x, y, flies];
  }
}
