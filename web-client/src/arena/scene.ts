// What one frame shows, in world units: others interpolated, the own fighter predicted, own shots moved on to the
// predicted tick. No drawing here.
import type { Sample } from '../sync/interpolation';
import type { PredictedBody } from '../sync/prediction';
import type { Snapshot } from '../sync/snapshot';
import { blocked, type ArenaMap } from './map';
import { SUBUNITS, type ArenaTables, type FighterRow, type PickupRow, type ShotRow, type ZoneRow } from './tables';

export interface SceneFighter extends FighterRow {
  readonly own: boolean;
}

export interface SceneShot {
  readonly id: number;
  readonly owner: number;
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
  readonly own: boolean;
}

export interface Scene {
  readonly fighters: readonly SceneFighter[];
  readonly shots: readonly SceneShot[];
  readonly pickups: readonly PickupRow[];
  readonly own: SceneFighter | null;
  /** Null in modes without one. */
  readonly zone: ZoneRow | null;
}

export interface SceneSource {
  readonly tables: ArenaTables;
  readonly map: ArenaMap;
  readonly sample: Sample;
  readonly latest: Snapshot;
  readonly player: number | null;
  readonly predicted: PredictedBody | null;
  readonly predictedTick: number;
  /** Own shots the server has not told of yet. */
  readonly firedShots: readonly SceneShot[];
}

/** Two places further apart than this are a respawn, not a movement. */
export const TELEPORT_UNITS = 300;
/** Own shots are not moved on further than this: by then the server has likely decided otherwise. */
const SHOT_LEAD_TICKS_MAX = 12;

export function buildScene(source: SceneSource): Scene {
  const { tables, sample, player } = source;
  const others = interpolateFighters(tables, sample).filter((fighter) => fighter.player !== player);
  const own = ownFighter(source);
  return {
    fighters: own ? [...others, own] : others,
    shots: [...otherShots(tables, sample, player), ...ownShots(source), ...source.firedShots],
    pickups: tables.pickups(sample.to),
    own,
    zone: tables.zone(sample.to),
  };
}

function interpolateFighters(tables: ArenaTables, sample: Sample): SceneFighter[] {
  const after = new Map(tables.fighters(sample.to).map((row) => [row.id, row]));
  return tables.fighters(sample.from).map((from) => {
    const to = after.get(from.id);
    if (!to || Math.hypot(to.x - from.x, to.y - from.y) > TELEPORT_UNITS) return { ...from, own: false };
    return {
      ...from,
      x: mix(from.x, to.x, sample.alpha),
      y: mix(from.y, to.y, sample.alpha),
      aim: mixAngle(from.aim, to.aim, sample.alpha),
      own: false,
    };
  });
}

/** Place and cooldown from the prediction, health from the newest snapshot: only the server decides damage. */
function ownFighter({ tables, latest, player, predicted, predictedTick }: SceneSource): SceneFighter | null {
  const server = player === null ? undefined : tables.fighters(latest).find((row) => row.player === player);
  if (!server) return null;
  if (!predicted) return { ...server, own: true };
  const body = tables.predictedFighter(server.id, Math.ceil(predictedTick), predicted.row);
  return {
    ...body,
    player: server.player,
    health: server.health,
    overcharge: server.overcharge,
    x: predicted.x / SUBUNITS,
    y: predicted.y / SUBUNITS,
    own: true,
  };
}

function otherShots(tables: ArenaTables, sample: Sample, player: number | null): SceneShot[] {
  const ticks = sample.tick - sample.from.tick;
  return tables
    .shots(sample.from)
    .filter((shot) => shot.owner !== player)
    .map((shot) => moveOn(shot, ticks, false));
}

function ownShots({ tables, map, latest, player, predicted, predictedTick }: SceneSource): SceneShot[] {
  if (player === null) return [];
  const lead = predicted ? Math.min(SHOT_LEAD_TICKS_MAX, Math.max(0, predictedTick - latest.tick)) : 0;
  return tables
    .shots(latest)
    .filter((shot) => shot.owner === player)
    .map((shot) => ({ shot, moved: moveOn(shot, lead, true) }))
    .filter(({ shot, moved }) => !blocked(map, shot.x, shot.y, moved.x, moved.y))
    .map(({ shot, moved }) => ({ ...moved, id: ownShotId(shot.born) }));
}

/** The same for a shot before and after the server has told of it, and no server id. */
export function ownShotId(tick: number): number {
  return -1 - (tick & 0xffff);
}

function moveOn(shot: ShotRow, ticks: number, own: boolean): SceneShot {
  return { ...shot, x: shot.x + shot.vx * ticks, y: shot.y + shot.vy * ticks, own };
}

function mix(from: number, to: number, alpha: number): number {
  return from + (to - from) * alpha;
}

/** The short way round. */
export function mixAngle(from: number, to: number, alpha: number): number {
  const turn = 2 * Math.PI;
  const difference = ((((to - from) % turn) + 1.5 * turn) % turn) - Math.PI;
  return from + difference * alpha;
}
