// The arena's tables by name: finds each field's column once, and turns rows into values in world units.
import { cell, fieldIndex, type Snapshot, type Table, tableIndex, type TableSchema } from '@tickwire/client';
import { AIM_TURN, DASH_COOLDOWN_TICKS, OVERCHARGE_TICKS, PROTECTION_TICKS, SUBUNITS, type Fields } from './generated';

export {
  DASH_COOLDOWN_TICKS,
  FIGHTER_RADIUS,
  HEALTH_MAX,
  KILL_SCORE,
  PROTECTION_TICKS,
  SHOT_RADIUS,
  SUBUNITS,
} from './generated';

export type Phase = 'waiting' | 'countdown' | 'live' | 'finished';
const PHASES: readonly Phase[] = ['waiting', 'countdown', 'live', 'finished'];

export interface MatchRow {
  readonly phase: Phase;
  /** Ticks until it ends by itself; 0 when it does not. */
  readonly endsIn: number;
}

export interface FighterRow {
  readonly id: number;
  readonly player: number;
  readonly vx: number;
  readonly vy: number;
  readonly x: number;
  readonly y: number;
  /** Radians, clockwise on screen from +x. */
  readonly aim: number;
  readonly health: number;
  /** Ticks until it may dash again. */
  readonly dashReadyIn: number;
  /** Ticks its overcharge lasts. */
  readonly overcharge: number;
  /** Ticks for which nothing harms it, if it does not fire. */
  readonly protectedFor: number;
}

/** What of the predicted row a shot starts from, as integers: 1/16 unit and 1/1024 turn. */
export interface MuzzleRow {
  readonly x: number;
  readonly y: number;
  readonly aim: number;
  /** Changes in the very tick a shot leaves. */
  readonly fireReady: number;
}

export interface ShotRow {
  readonly id: number;
  readonly owner: number;
  readonly born: number;
  readonly vx: number;
  readonly vy: number;
  readonly x: number;
  readonly y: number;
}

export interface PickupRow {
  readonly id: number;
  readonly kind: 'health' | 'overcharge';
  readonly x: number;
  readonly y: number;
}

export interface ScoreRow {
  readonly id: number;
  readonly player: number;
  readonly score: number;
  readonly kills: number;
  readonly deaths: number;
  /** Ticks until the next life; 0 while alive. */
  readonly respawnIn: number;
}

/** In royale, the circle outside of which nobody lasts long. */
export interface ZoneRow {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** How many live. */
  readonly alive: number;
}

/** In royale, one of the best: others' scores stay on the server. */
export interface LeaderRow {
  readonly player: number;
  readonly score: number;
  readonly kills: number;
}

const EMPTY: Table = { ids: new Uint32Array(), columns: [] };

type TableName = keyof Fields;

/** Reads the arena's rows out of snapshots. */
export class ArenaTables {
  /** Where the predicted body's row keeps its place. */
  readonly body: { readonly x: number; readonly y: number };
  private readonly indexes: Readonly<Record<TableName, number>>;
  private readonly fields: <T extends TableName>(table: T, field: Fields[T]) => number;

  constructor(schema: readonly TableSchema[]) {
    const known = new Map<string, number>();
    this.fields = (table, field) => {
      const key = `${table}.${field}`;
      const index = known.get(key) ?? fieldIndex(schema, table, field);
      known.set(key, index);
      return index;
    };
    this.indexes = {
      match: tableIndex(schema, 'match'),
      fighter: tableIndex(schema, 'fighter'),
      shot: tableIndex(schema, 'shot'),
      pickup: tableIndex(schema, 'pickup'),
      score: tableIndex(schema, 'score'),
      zone: tableIndex(schema, 'zone'),
      leader: tableIndex(schema, 'leader'),
    };
    this.body = { x: this.fields('fighter', 'x'), y: this.fields('fighter', 'y') };
  }

  match(snapshot: Snapshot): MatchRow {
    const table = this.table(snapshot, 'match');
    return {
      phase: PHASES[cell(table, this.fields('match', 'phase'), 0)] ?? 'waiting',
      endsIn: ticksLeft(cell(table, this.fields('match', 'phase_ends'), 0), snapshot.tick),
    };
  }

  fighters(snapshot: Snapshot): FighterRow[] {
    const table = this.table(snapshot, 'fighter');
    return rows(table, (id, row) =>
      this.fighter(id, snapshot.tick, (field) => cell(table, this.fields('fighter', field), row)),
    );
  }

  /** The own body as the module predicts it. */
  predictedFighter(id: number, tick: number, row: Int32Array): FighterRow {
    return this.fighter(id, tick, (field) => row[this.fields('fighter', field)] ?? 0);
  }

  muzzle(row: Int32Array): MuzzleRow {
    const at = (field: Fields['fighter']): number => row[this.fields('fighter', field)] ?? 0;
    return { x: at('x'), y: at('y'), aim: at('aim'), fireReady: at('fire_ready') };
  }

  shots(snapshot: Snapshot): ShotRow[] {
    const table = this.table(snapshot, 'shot');
    const at = (field: Fields['shot'], row: number): number => cell(table, this.fields('shot', field), row);
    return rows(table, (id, row) => ({
      id,
      owner: at('owner', row),
      born: at('born', row),
      vx: at('vx', row) / SUBUNITS,
      vy: at('vy', row) / SUBUNITS,
      x: at('x', row) / SUBUNITS,
      y: at('y', row) / SUBUNITS,
    }));
  }

  pickups(snapshot: Snapshot): PickupRow[] {
    const table = this.table(snapshot, 'pickup');
    const at = (field: Fields['pickup'], row: number): number => cell(table, this.fields('pickup', field), row);
    return rows(table, (id, row) => ({
      id,
      kind: at('kind', row) === 0 ? 'health' : 'overcharge',
      x: at('x', row) / SUBUNITS,
      y: at('y', row) / SUBUNITS,
    }));
  }

  scores(snapshot: Snapshot): ScoreRow[] {
    const table = this.table(snapshot, 'score');
    const at = (field: Fields['score'], row: number): number => cell(table, this.fields('score', field), row);
    return rows(table, (id, row) => ({
      id,
      player: at('player', row),
      score: at('score', row),
      kills: at('kills', row),
      deaths: at('deaths', row),
      respawnIn: ticksLeft(at('respawn_at', row), snapshot.tick),
    }));
  }

  /** Null in modes without one. */
  zone(snapshot: Snapshot): ZoneRow | null {
    const table = this.table(snapshot, 'zone');
    if (table.ids.length === 0) return null;
    const at = (field: Fields['zone']): number => cell(table, this.fields('zone', field), 0);
    return {
      x: at('x') / SUBUNITS,
      y: at('y') / SUBUNITS,
      radius: at('radius') / SUBUNITS,
      alive: at('alive'),
    };
  }

  /** The best, the first of them first. */
  leaders(snapshot: Snapshot): LeaderRow[] {
    const table = this.table(snapshot, 'leader');
    const at = (field: Fields['leader'], row: number): number => cell(table, this.fields('leader', field), row);
    const ranked = rows(table, (_, row) => ({
      rank: at('rank', row),
      player: at('player', row),
      score: at('score', row),
      kills: at('kills', row),
    }));
    return ranked.sort((a, b) => a.rank - b.rank);
  }

  private fighter(id: number, tick: number, at: (field: Fields['fighter']) => number): FighterRow {
    return {
      id,
      player: at('player'),
      vx: at('vx') / SUBUNITS,
      vy: at('vy') / SUBUNITS,
      x: at('x') / SUBUNITS,
      y: at('y') / SUBUNITS,
      aim: (at('aim') / AIM_TURN) * 2 * Math.PI,
      health: at('health'),
      dashReadyIn: ticksLeft(at('dash_ready'), tick, DASH_COOLDOWN_TICKS),
      overcharge: ticksLeft(at('overcharge_until'), tick, OVERCHARGE_TICKS),
      protectedFor: ticksLeft(at('protected_until'), tick, PROTECTION_TICKS),
    };
  }

  private table(snapshot: Snapshot, name: keyof ArenaTables['indexes']): Table {
    return snapshot.tables[this.indexes[name]] ?? EMPTY;
  }
}

/**
 * Ticks from `tick` until a moment, which is the low 31 bits of one. A moment further ahead than its timer is long, like
 * the initial 0, has passed.
 */
export function ticksLeft(moment: number, tick: number, length = 2 ** 30): number {
  if (moment === 0) return 0;
  const distance = ((moment - tick) << 1) >> 1;
  return distance > 0 && distance <= length ? distance : 0;
}

function rows<T>(table: Table, make: (id: number, row: number) => T): T[] {
  return Array.from(table.ids, make);
}
