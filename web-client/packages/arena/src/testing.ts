// Snapshots for tests, built from rows instead of columns.
import type { Snapshot, TableSchema } from '@tickwire/client';
import { ArenaTables } from './tables';

export const SCHEMA: readonly TableSchema[] = [
  { table: 'match', fields: ['phase', 'phase_ends'] },
  {
    table: 'fighter',
    fields: [
      ...['player', 'vx', 'vy', 'x', 'y', 'aim', 'health'],
      ...['dash_ready', 'fire_ready', 'overcharge_until', 'protected_until'],
    ],
  },
  { table: 'shot', fields: ['owner', 'born', 'damage', 'vx', 'vy', 'x', 'y'] },
  { table: 'pickup', fields: ['kind', 'x', 'y'] },
  { table: 'score', fields: ['player', 'score', 'kills', 'deaths', 'respawn_at'] },
  { table: 'zone', fields: ['x', 'y', 'growth', 'radius', 'alive'] },
  { table: 'leader', fields: ['rank', 'player', 'score', 'kills'] },
];

export const TABLES = new ArenaTables(SCHEMA);

type Row = Readonly<Record<string, number>> & { readonly id: number };

/** Rows per table; fields that are left out are 0. */
export function snapshotOf(tick: number, rows: Readonly<Record<string, readonly Row[]>>): Snapshot {
  return {
    tick,
    tables: SCHEMA.map(({ table, fields }) => {
      const own = (rows[table] ?? []).toSorted((a, b) => a.id - b.id);
      return {
        ids: Uint32Array.from(own.map((row) => row.id)),
        columns: fields.map((field) => Int32Array.from(own.map((row) => row[field] ?? 0))),
      };
    }),
  };
}
