// One tick's view of the match, copied out of the browser module: tables of integer columns, rows sorted by id.

export interface TableSchema {
  readonly table: string;
  readonly fields: readonly string[];
}

export interface Table {
  readonly ids: Uint32Array;
  /** One column per field of the schema, each as long as `ids`. */
  readonly columns: readonly Int32Array[];
}

export interface Snapshot {
  readonly tick: number;
  readonly tables: readonly Table[];
}

/** Index of a table by name. Throws if it is missing: then page and module are of different builds. */
export function tableIndex(schema: readonly TableSchema[], name: string): number {
  const index = schema.findIndex((table) => table.table === name);
  if (index < 0) throw new Error(`the schema has no table ${name}`);
  return index;
}

/** Index of a field by name. Throws if it is missing, as above. */
export function fieldIndex(schema: readonly TableSchema[], table: string, field: string): number {
  const index = schema[tableIndex(schema, table)]?.fields.indexOf(field) ?? -1;
  if (index < 0) throw new Error(`the table ${table} has no field ${field}`);
  return index;
}

/** Row of an id, or -1. */
export function rowOf(table: Table, id: number): number {
  let low = 0;
  let high = table.ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = table.ids[middle] ?? 0;
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** One value; 0 outside the table. */
export function cell(table: Table, field: number, row: number): number {
  return table.columns[field]?.[row] ?? 0;
}
