// Where tables and fields are in a snapshot, by name: looked up once, so that reading a cell is two array reads.
import type { TableSchema } from './snapshot';

/** The names of tables, and of their fields in order. */
export type TableFields = Readonly<Record<string, readonly string[]>>;

/** A table's number in a snapshot, and the number of each of its fields. */
export interface TableLayout<Field extends string> {
  readonly table: number;
  readonly fields: Readonly<Record<Field, number>>;
}

export type Layout<Tables extends TableFields> = {
  readonly [Name in keyof Tables]: TableLayout<Tables[Name][number]>;
};

/** Finds each table and field. Throws if one is missing: then page and module are of different builds. */
export function layoutOf<Tables extends TableFields>(names: Tables, schema: readonly TableSchema[]): Layout<Tables> {
  const entries = Object.entries(names).map(([name, fields]) => [name, tableLayout(schema, name, fields)]);
  // Each name of `Tables` is a key, since the entries are made of its own.
  return Object.fromEntries(entries) as Layout<Tables>;
}

/** The same for one table. */
export function tableLayout<Field extends string>(
  schema: readonly TableSchema[],
  name: string,
  fields: readonly Field[],
): TableLayout<Field> {
  const table = schema.findIndex((known) => known.table === name);
  const own = schema[table]?.fields;
  if (!own) throw new Error(`the schema has no table ${name}`);
  const numbers = fields.map((field) => {
    const index = own.indexOf(field);
    if (index < 0) throw new Error(`the table ${name} has no field ${field}`);
    return [field, index];
  });
  return { table, fields: Object.fromEntries(numbers) as Record<Field, number> };
}
