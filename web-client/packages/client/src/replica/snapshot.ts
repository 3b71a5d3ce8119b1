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

/** One value; 0 outside the table. */
export function cell(table: Table, field: number, row: number): number {
  return table.columns[field]?.[row] ?? 0;
}
