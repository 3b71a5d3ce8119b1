// A table whose rows stay with what they show, so that focus on their buttons stays too.
import { el, setText } from '@tickwire/ui';

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
  private readonly body = el('tbody');

  constructor(options: TableOptions<Row>) {
    this.options = options;
    const head = options.columns.map(({ title }) => el('th', { scope: 'col' }, title));
    this.element = el(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-labelledby': options.titleId },
      el(
        'table',
        { class: 'plain-table', 'data-testid': options.testId },
        el('thead', {}, el('tr', {}, ...head, options.actions ? el('td') : null)),
        this.body,
      ),
    );
  }

  show(rows: readonly Row[]): void {
    const { key, columns } = this.options;
    const shown = new Map([...this.body.rows].map((row) => [row.dataset['key'] ?? '', row]));
    const kept = rows.map((row) => {
      const element = shown.get(key(row)) ?? this.newRow(row);
      columns.forEach(({ text }, index) => {
        const cell = element.cells[index];
        if (cell) setText(cell, text(row));
      });
      return element;
    });
    const unchanged = kept.length === this.body.rows.length && kept.every((row, i) => row === this.body.rows[i]);
    if (!unchanged) this.body.replaceChildren(...kept);
  }

  private newRow(row: Row): HTMLTableRowElement {
    const { testId, columns, key, actions } = this.options;
    return el(
      'tr',
      { 'data-key': key(row), 'data-testid': `${testId}-row` },
      ...columns.map(() => el('td')),
      actions ? el('td', { class: 'action' }, ...actions(row)) : null,
    );
  }
}
