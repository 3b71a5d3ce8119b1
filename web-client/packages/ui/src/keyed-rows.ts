// Elements that stay with what they show while it changes and moves, so that focus inside them stays too.

export interface KeyedRowsOptions<Item, Row extends Element> {
  /** Holds the rows and nothing else. */
  readonly parent: Element;
  readonly key: (item: Item) => string;
  /** Called once for each item, when it appears. */
  readonly make: (item: Item) => Row;
  /** Writes what may have changed. */
  readonly fill: (row: Row, item: Item) => void;
}

export class KeyedRows<Item, Row extends Element> {
  private readonly options: KeyedRowsOptions<Item, Row>;
  private rows = new Map<string, Row>();

  constructor(options: KeyedRowsOptions<Item, Row>) {
    this.options = options;
  }

  /** Shows these, in this order, and no others. */
  show(items: readonly Item[]): void {
    const { parent, key, make, fill } = this.options;
    const before = this.rows;
    this.rows = new Map();
    for (const item of items) {
      const row = before.get(key(item)) ?? make(item);
      fill(row, item);
      this.rows.set(key(item), row);
    }
    const rows = [...this.rows.values()];
    const unchanged = rows.length === parent.children.length && rows.every((row, i) => row === parent.children[i]);
    if (!unchanged) parent.replaceChildren(...rows);
  }
}
