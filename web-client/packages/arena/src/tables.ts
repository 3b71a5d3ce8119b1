// The arena's tables: turns the rows of a snapshot into values in world units.
import {
  cell,
  layoutOf,
  PHASES,
  type Layout,
  type Phase,
  type Snapshot,
  type Table,
  type TableSchema,
} from '@tickwire/client';
import { AIM_TURN, DASH_COOLDOWN_TICKS, OVERCHARGE_TICKS, PROTECTION_TICKS, SUBUNITS, TABLES } from './generated';

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

/** Reads the arena's rows out of snapshots. */
export class ArenaTables {
  readonly fighters = oncePerSnapshot((snapshot): readonly FighterRow[] => {
    const table = this.table(snapshot, 'fighter');
    return rows(table, (id, row) => this.fighter(id, snapshot.tick, (field) => cell(table, field, row)));
  });

  readonly shots = oncePerSnapshot((snapshot): readonly ShotRow[] => {
    const { fields } = this.layout.shot;
    const table = this.table(snapshot, 'shot');
    return rows(table, (id, row) => ({
      id,
      owner: cell(table, fields.owner, row),
      born: cell(table, fields.born, row),
      vx: cell(table, fields.vx, row) / SUBUNITS,
      vy: cell(table, fields.vy, row) / SUBUNITS,
      x: cell(table, fields.x, row) / SUBUNITS,
      y: cell(table, fields.y, row) / SUBUNITS,
    }));
  });

  readonly pickups = oncePerSnapshot((snapshot): readonly PickupRow[] => {
    const { fields } = this.layout.pickup;
    const table = this.table(snapshot, 'pickup');
    return rows(table, (id, row) => ({
      id,
      kind: pickupKind(cell(table, fields.kind, row)),
      x: cell(table, fields.x, row) / SUBUNITS,
      y: cell(table, fields.y, row) / SUBUNITS,
    }));
  });

  readonly scores = oncePerSnapshot((snapshot): readonly ScoreRow[] => {
    const { fields } = this.layout.score;
    const table = this.table(snapshot, 'score');
    return rows(table, (id, row) => ({
      id,
      player: cell(table, fields.player, row),
      score: cell(table, fields.score, row),
      kills: cell(table, fields.kills, row),
      deaths: cell(table, fields.deaths, row),
      respawnIn: ticksLeft(cell(table, fields.respawn_at, row), snapshot.tick),
    }));
  });

  /** Null in modes without one. */
  readonly zone = oncePerSnapshot((snapshot): ZoneRow | null => {
    const { fields } = this.layout.zone;
    const table = this.table(snapshot, 'zone');
    if (table.ids.length === 0) return null;
    return {
      x: cell(table, fields.x, 0) / SUBUNITS,
      y: cell(table, fields.y, 0) / SUBUNITS,
      radius: cell(table, fields.radius, 0) / SUBUNITS,
      alive: cell(table, fields.alive, 0),
    };
  });

  /** The best, the first of them first. */
  readonly leaders = oncePerSnapshot((snapshot): readonly LeaderRow[] => {
    const { fields } = this.layout.leader;
    const table = this.table(snapshot, 'leader');
    const ranked = rows(table, (_, row) => ({
      rank: cell(table, fields.rank, row),
      player: cell(table, fields.player, row),
      score: cell(table, fields.score, row),
      kills: cell(table, fields.kills, row),
    }));
    return ranked.sort((a, b) => a.rank - b.rank);
  });

  private readonly layout: Layout<typeof TABLES>;

  constructor(schema: readonly TableSchema[]) {
    this.layout = layoutOf(TABLES, schema);
  }

  match(snapshot: Snapshot): MatchRow {
    const { fields } = this.layout.match;
    const table = this.table(snapshot, 'match');
    return {
      phase: PHASES[cell(table, fields.phase, 0)] ?? 'waiting',
      endsIn: ticksLeft(cell(table, fields.phase_ends, 0), snapshot.tick),
    };
  }

  /** The own body as the module predicts it. */
  predictedFighter(id: number, tick: number, row: Int32Array): FighterRow {
    return this.fighter(id, tick, (field) => row[field] ?? 0);
  }

  muzzle(row: Int32Array): MuzzleRow {
    const { fields } = this.layout.fighter;
    const at = (field: number): number => row[field] ?? 0;
    return { x: at(fields.x), y: at(fields.y), aim: at(fields.aim), fireReady: at(fields.fire_ready) };
  }

  private fighter(id: number, tick: number, at: (field: number) => number): FighterRow {
    const { fields } = this.layout.fighter;
    return {
      id,
      player: at(fields.player),
      vx: at(fields.vx) / SUBUNITS,
      vy: at(fields.vy) / SUBUNITS,
      x: at(fields.x) / SUBUNITS,
      y: at(fields.y) / SUBUNITS,
      aim: (at(fields.aim) / AIM_TURN) * 2 * Math.PI,
      health: at(fields.health),
      dashReadyIn: ticksLeft(at(fields.dash_ready), tick, DASH_COOLDOWN_TICKS),
      overcharge: ticksLeft(at(fields.overcharge_until), tick, OVERCHARGE_TICKS),
      protectedFor: ticksLeft(at(fields.protected_until), tick, PROTECTION_TICKS),
    };
  }

  private table(snapshot: Snapshot, name: keyof typeof TABLES): Table {
    return snapshot.tables[this.layout[name].table] ?? EMPTY;
  }
}

/** A pickup's kind, as tables and events number it. */
export function pickupKind(number: number): PickupRow['kind'] {
  return number === 0 ? 'health' : 'overcharge';
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

/** `read`, called once for each snapshot: a frame looks at the same ones several times. */
function oncePerSnapshot<T>(read: (snapshot: Snapshot) => T): (snapshot: Snapshot) => T {
  const known = new WeakMap<Snapshot, { readonly value: T }>();
  return (snapshot) => {
    const seen = known.get(snapshot);
    if (seen) return seen.value;
    const value = read(snapshot);
    known.set(snapshot, { value });
    return value;
  };
}

function rows<T>(table: Table, make: (id: number, row: number) => T): T[] {
  return Array.from(table.ids, make);
}
