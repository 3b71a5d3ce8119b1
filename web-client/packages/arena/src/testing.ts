// Snapshots for tests, built from rows instead of columns.
import type { Snapshot, TableSchema } from '@tickwire/client';
import { TABLES } from './generated';
import { ArenaTables } from './tables';

export const SCHEMA: readonly TableSchema[] = Object.entries(TABLES).map(([table, fields]) => ({ table, fields }));

export const ARENA_TABLES = new ArenaTables(SCHEMA);

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
