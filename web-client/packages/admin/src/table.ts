// A table whose rows stay with what they show.
import { el, KeyedRows, setText } from '@tickwire/ui';

export interface TableOptions<Row> {
  readonly testId: string;
  readonly titleId: string;
  readonly columns: readonly { readonly title: string; readonly text: (row: Row) => string }[];
  readonly key: (row: Row) => string;
  /** What can be done with a row; asked for once, when it appears. */
  readonly actions?: (row: Row) => readonly HTMLElement[];
}

export class KeyedTable<Row> {
  readonly element: HTMLElement;
  private readonly options: TableOptions<Row>;
  private readonly rows: KeyedRows<Row, HTMLTableRowElement>;

  constructor(options: TableOptions<Row>) {
    this.options = options;
    const body = el('tbody');
    const head = options.columns.map(({ title }) => el('th', { scope: 'col' }, title));
    this.element = el(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-labelledby': options.titleId },
      el(
        'table',
        { class: 'plain-table', 'data-testid': options.testId },
        el('thead', {}, el('tr', {}, ...head, options.actions ? el('td') : null)),
        body,
      ),
    );
    this.rows = new KeyedRows({
      parent: body,
      key: options.key,
      make: (row) => this.newRow(row),
      fill: ({ cells }, row) => {
        options.columns.forEach(({ text }, index) => {
          const cell = cells[index];
          if (cell) setText(cell, text(row));
        });
      },
    });
  }

  show(rows: readonly Row[]): void {
    this.rows.show(rows);
  }

  private newRow(row: Row): HTMLTableRowElement {
    const { testId, columns, actions } = this.options;
    return el(
      'tr',
      { 'data-testid': `${testId}-row` },
      ...columns.map(() => el('td')),
      actions ? el('td', { class: 'action' }, ...actions(row)) : null,
    );
  }
}
