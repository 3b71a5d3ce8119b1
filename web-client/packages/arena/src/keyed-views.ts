// The drawn things of one kind, a view for each by its id: made when it is first shown, destroyed when it no longer is.
import type { Container } from 'pixi.js';

interface Shown {
  readonly id: number;
}

export class KeyedViews<Row extends Shown, View> {
  private readonly views = new Map<number, View>();
  private readonly layer: Container;
  private readonly make: (row: Row) => View;
  private readonly nodeOf: (view: View) => Container;

  /** `nodeOf` is what of a view is in `layer`. */
  constructor(layer: Container, make: (row: Row) => View, nodeOf: (view: View) => Container) {
    this.layer = layer;
    this.make = make;
    this.nodeOf = nodeOf;
  }

  get({ id }: Shown): View | undefined {
    return this.views.get(id);
  }

  /** Shows these, each as `draw` draws it, and no others. */
  show(rows: readonly Row[], draw: (view: View, row: Row) => void): void {
    for (const row of rows) draw(this.views.get(row.id) ?? this.added(row), row);
    // Every row has a view: unless there are more of these, nothing is gone.
    if (this.views.size > rows.length) this.keepOnly(rows);
  }

  private added(row: Row): View {
    const view = this.make(row);
    this.views.set(row.id, view);
    this.layer.addChild(this.nodeOf(view));
    return view;
  }

  private keepOnly(rows: readonly Row[]): void {
    const ids = new Set(rows.map((row) => row.id));
    for (const [id, view] of this.views) {
      if (ids.has(id)) continue;
      this.nodeOf(view).destroy({ children: true });
      this.views.delete(id);
    }
  }
}
