// The table of matches and the server's totals, refreshed every second while the tab is seen.
import {
  button,
  el,
  formatBytesPerSecond,
  formatCount,
  formatDuration,
  formatMicroseconds,
  KeyedRows,
  setHidden,
  setText,
} from '@tickwire/ui';
import type { AdminMatch, AdminReport, MatchElsewhere } from './admin-api';
import { ageOf, isDormant, isSlow, overrunsOften, seats } from './figures';
import { KeyedTable } from './table';

interface Column {
  readonly title: string;
  readonly hint: string;
  readonly text: (match: AdminMatch) => string;
  readonly name?: boolean;
  readonly bad?: (match: AdminMatch) => boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'Match', hint: 'Code to join with', text: (m) => m.code, name: true },
  { title: 'Mode', hint: 'Game mode', text: (m) => m.mode, name: true },
  {
    title: 'Phase',
    hint: 'What the match is doing; dormant: nobody is connected, so it stands still',
    text: (m) => (isDormant(m) ? 'dormant' : m.phase),
    name: true,
  },
  { title: 'Players', hint: 'People connected (and seats kept for others), of all seats', text: seats },
  { title: 'Bots', hint: 'Seats played by the server', text: (m) => String(m.bots) },
  { title: 'Watching', hint: 'Spectators', text: (m) => String(m.spectators) },
  {
    title: 'Tick p50',
    hint: 'Time to simulate and send a tick, median',
    text: (m) => formatMicroseconds(m.tick_us_p50),
  },
  {
    title: 'Tick p99',
    hint: 'The same, slowest 1 %',
    text: (m) => formatMicroseconds(m.tick_us_p99),
    bad: (m) => isSlow(m, m.tick_us_p99),
  },
  {
    title: 'Late p99',
    hint: 'How late ticks start, slowest 1 %',
    text: (m) => formatMicroseconds(m.late_p99_us),
    bad: (m) => isSlow(m, m.late_p99_us),
  },
  {
    title: 'Overruns',
    hint: 'Ticks that took longer than their interval',
    text: (m) => String(m.overruns),
    bad: overrunsOften,
  },
  { title: 'Sent', hint: 'Bytes sent to everyone in the match', text: (m) => formatBytesPerSecond(m.bytes_per_s) },
  { title: 'Age', hint: 'Time since the match was created', text: (m) => formatDuration(m.age_s) },
];

const DRAINING = 'The server is draining: it takes no new matches and ends when those that run have.';

/** What the operator can do with a match. */
export interface Actions {
  readonly watch: (matchId: string, title: string) => void;
  readonly showPeople: (match: AdminMatch) => void;
}

export class Dashboard {
  readonly element: HTMLElement;
  private readonly totals = new Map<string, HTMLElement>();
  private readonly body = el('tbody');
  private readonly rows = new KeyedRows<AdminMatch, HTMLTableRowElement>({
    parent: this.body,
    key: ({ id }) => id,
    make: (match) => this.newRow(match),
    fill: fillRow,
  });
  private readonly empty = el('p', { class: 'muted', 'data-testid': 'admin-empty' });
  /** How old the figures are. It counts, so it is not read out; the problem is. */
  private readonly age = el('p', { class: 'dash-age', 'data-testid': 'admin-age' });
  private answeredMs: number | null = null;
  private readonly problem = el('p', { class: 'form-error', role: 'alert', 'data-testid': 'admin-problem' });
  private readonly actions: Actions;
  private readonly elsewhere = new KeyedTable<MatchElsewhere>({
    testId: 'admin-elsewhere',
    titleId: 'elsewhere-title',
    columns: [
      { title: 'Server', text: (m) => m.server },
      { title: 'Mode', text: (m) => m.mode },
      { title: 'Phase', text: (m) => m.phase },
      { title: 'Players', text: (m) => `${m.players} / ${m.max_players}` },
      { title: 'Bots', text: (m) => String(m.bots) },
    ],
    key: (m) => m.id,
    actions: (m) => [
      button('Watch', { class: 'secondary small', 'aria-label': `Watch a match of ${m.server}` }, () => {
        this.actions.watch(m.id, `Match on ${m.server}`);
      }),
    ],
  });
  private readonly others = el(
    'section',
    { class: 'card', 'aria-labelledby': 'elsewhere-title' },
    el('h2', { id: 'elsewhere-title' }, 'On other servers'),
    this.elsewhere.element,
  );

  /** `below` is shown below the matches. */
  constructor(actions: Actions, below: HTMLElement) {
    this.actions = actions;
    const head = COLUMNS.map(({ title, hint, name }) =>
      el('th', { scope: 'col', title: hint, class: name === true ? 'name' : 'number' }, title),
    );
    this.element = el(
      'main',
      { class: 'dashboard', 'data-testid': 'dashboard' },
      el(
        'header',
        { class: 'dash-head' },
        el('h1', {}, 'Tickwire ', el('span', { class: 'accent' }, 'admin')),
        this.age,
        this.problem,
      ),
      el('dl', { class: 'totals' }, ...this.tiles()),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'matches-title' },
        el('h2', { id: 'matches-title' }, 'Matches'),
        el(
          'div',
          { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-labelledby': 'matches-title' },
          el(
            'table',
            { class: 'matches-table', 'data-testid': 'admin-matches' },
            el('thead', {}, el('tr', {}, ...head, el('td'))),
            this.body,
          ),
        ),
        this.empty,
      ),
      this.others,
      below,
    );
  }

  /** New figures, which came at `nowMs`. */
  show(report: AdminReport, nowMs: number): void {
    const { server, matches, elsewhere } = report;
    setHidden(this.others, elsewhere.length === 0);
    this.elsewhere.show(elsewhere);
    setText(this.problem, server.draining ? DRAINING : '');
    this.answeredMs = nowMs;
    this.showAge(nowMs);
    this.total('Up for', formatDuration(server.uptime_s));
    this.total('Matches', String(server.matches));
    this.total('Connections', String(server.connections));
    this.total('Players', String(matches.reduce((sum, match) => sum + match.players, 0)));
    this.total('Workers', String(server.workers));
    this.total('Sent', formatBytesPerSecond(matches.reduce((sum, match) => sum + match.bytes_per_s, 0)));
    setText(
      this.empty,
      matches.length === 0 ? 'No match is running.' : formatCount(matches.length, 'match', 'matches'),
    );
    this.rows.show(matches);
  }

  /** Figures that are no longer those of now are greyed. Call it often: whoever does not answer does not call. */
  showAge(nowMs: number): void {
    const { stale, text } = ageOf(this.answeredMs, nowMs);
    setText(this.age, text);
    this.element.classList.toggle('stale', stale);
  }

  showProblem(sentence: string): void {
    setText(this.problem, sentence);
  }

  private tiles(): HTMLElement[] {
    return ['Up for', 'Matches', 'Connections', 'Players', 'Workers', 'Sent'].map((title) => {
      const value = el('dd', {}, '–');
      this.totals.set(title, value);
      return el('div', { class: 'tile' }, el('dt', {}, title), value);
    });
  }

  private total(title: string, value: string): void {
    const element = this.totals.get(title);
    if (element) setText(element, value);
  }

  private newRow(match: AdminMatch): HTMLTableRowElement {
    const watch = button(
      'Watch',
      { class: 'secondary small', 'data-testid': 'watch-match', 'aria-label': `Watch ${match.code}` },
      () => {
        this.actions.watch(match.id, `Match ${match.code}`);
      },
    );
    const people = button(
      'Players',
      { class: 'secondary small', 'data-testid': 'show-people', 'aria-label': `Players of ${match.code}` },
      () => {
        this.actions.showPeople(match);
      },
    );
    return el(
      'tr',
      { 'data-testid': 'admin-row' },
      // The label is for narrow screens, where the rows are cards without a heading.
      ...COLUMNS.map(({ name, title }) => el('td', { class: name === true ? 'name' : 'number', 'data-label': title })),
      el('td', { class: 'action' }, people, watch),
    );
  }
}

function fillRow(row: HTMLTableRowElement, match: AdminMatch): void {
  row.classList.toggle('dormant', isDormant(match));
  COLUMNS.forEach((column, index) => {
    const cell = row.cells[index];
    if (!cell) return;
    setText(cell, column.text(match));
    cell.classList.toggle('bad', column.bad?.(match) ?? false);
  });
}
