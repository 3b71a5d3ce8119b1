// What one frame shows, in world units: others interpolated, the own fighter predicted, own shots
// moved on to the predicted tick. While a bot plays the own seat, all that is own is drawn as
// others are. No drawing here.
import type { PredictedBody, Sample, Snapshot } from '@tickwire/client';
import { blocked, type ArenaMap } from './map';
import { SUBUNITS } from './generated';
import type { ArenaTables, FighterRow, PickupRow, ShotRow, ZoneRow } from './tables';

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
  /**
   * How far the own fighter has gone over from the prediction, 0, to what snapshots say, 1: see
   * `StandInBlend`.
   */
  readonly standIn: number;
}

/** Two places further apart than this are a respawn, not a movement. */
export const TELEPORT_UNITS = 300;
/** Own shots are not moved on further than this: by then the server has likely decided otherwise. */
const SHOT_LEAD_TICKS_MAX = 12;

export function buildScene(source: SceneSource): Scene {
  const { tables, sample, player } = source;
  const interpolated = interpolateFighters(tables, sample);
  const others = interpolated.filter((fighter) => fighter.player !== player);
  const own = ownFighter(
    source,
    interpolated.find((fighter) => fighter.player === player),
  );
  const shots = source.standIn > 0 ? interpolatedShots(tables, sample) : predictedShots(source);
  return {
    fighters: own ? [...others, own] : others,
    shots: shots.map((shot) => ({ ...shot, own: shot.owner === player })),
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
function ownFighter(source: SceneSource, interpolated: SceneFighter | undefined): SceneFighter | null {
  const { tables, latest, player, predicted, predictedTick, standIn } = source;
  const server = player === null ? undefined : tables.fighters(latest).find((row) => row.player === player);
  if (!server) return null;
  const played = interpolated ?? server;
  if (!predicted || standIn >= 1) return { ...played, health: server.health, own: true };
  const body = tables.predictedFighter(server.id, Math.ceil(predictedTick), predicted.row);
  const [x = 0, y = 0] = predicted.place.map((value) => value / SUBUNITS);
  return {
    ...body,
    player: server.player,
    health: server.health,
    overcharge: server.overcharge,
    x: mix(x, played.x, standIn),
    y: mix(y, played.y, standIn),
    aim: mixAngle(body.aim, played.aim, standIn),
    own: true,
  };
}

function predictedShots(source: SceneSource): Omit<SceneShot, 'own'>[] {
  const others = interpolatedShots(source.tables, source.sample).filter((shot) => shot.owner !== source.player);
  return [...others, ...ownShots(source), ...source.firedShots];
}

function interpolatedShots(tables: ArenaTables, sample: Sample): Omit<SceneShot, 'own'>[] {
  const ticks = sample.tick - sample.from.tick;
  return tables.shots(sample.from).map((shot) => moveOn(shot, ticks));
}

function ownShots({ tables, map, latest, player, predicted, predictedTick }: SceneSource): Omit<SceneShot, 'own'>[] {
  if (player === null) return [];
  const lead = predicted ? Math.min(SHOT_LEAD_TICKS_MAX, Math.max(0, predictedTick - latest.tick)) : 0;
  return tables
    .shots(latest)
    .filter((shot) => shot.owner === player)
    .map((shot) => ({ shot, moved: moveOn(shot, lead) }))
    .filter(({ shot, moved }) => !blocked(map, shot.x, shot.y, moved.x, moved.y))
    .map(({ shot, moved }) => ({ ...moved, id: ownShotId(shot.born) }));
}

/** The same for a shot before and after the server has told of it, and no server id. */
export function ownShotId(tick: number): number {
  return -1 - (tick & 0xffff);
}

function moveOn(shot: ShotRow, ticks: number): ShotRow {
  return { ...shot, x: shot.x + shot.vx * ticks, y: shot.y + shot.vy * ticks };
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
