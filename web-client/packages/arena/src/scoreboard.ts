// The table of players, on Tab, in the results and on the admin page.
import { el, setText } from '@tickwire/ui';
import type { ScoreLine } from './hud-model';
import { cssColor, playerColor } from './palette';

export class Scoreboard {
  readonly element: HTMLTableElement;
  private readonly body = el('tbody');

  constructor(caption: string) {
    const head = (text: string, className = 'number'): HTMLElement =>
      el('th', { scope: 'col', class: className }, text);
    this.element = el(
      'table',
      { class: 'scores', 'data-testid': 'scoreboard' },
      el('caption', { class: 'visually-hidden' }, caption),
      el('thead', {}, el('tr', {}, head('#'), head('Player', 'name'), head('Score'), head('Kills'), head('Deaths'))),
      this.body,
    );
  }

  update(lines: readonly ScoreLine[]): void {
    while (this.body.rows.length > lines.length) this.body.deleteRow(-1);
    while (this.body.rows.length < lines.length) this.body.append(newRow());
    lines.forEach((line, index) => {
      const row = this.body.rows[index];
      if (row) fillRow(row, line);
    });
  }
}

function newRow(): HTMLTableRowElement {
  const parts = [el('span', { class: 'swatch' }), el('span', { class: 'who' }), el('span', { class: 'tag' })];
  const name = el('td', { class: 'name' }, el('div', { class: 'player' }, ...parts));
  const number = (): HTMLElement => el('td', { class: 'number' });
  return el('tr', { 'data-testid': 'score-row' }, number(), name, number(), number(), number());
}

function fillRow(row: HTMLTableRowElement, line: ScoreLine): void {
  row.classList.toggle('own', line.own);
  row.classList.toggle('bot', line.bot);
  row.classList.toggle('away', line.away);
  const [rank, name, score, kills, deaths] = row.cells;
  if (!rank || !name || !score || !kills || !deaths) return;
  setText(rank, line.rank === 0 ? '–' : String(line.rank));
  const [swatch, who, tag] = name.firstElementChild?.children ?? [];
  // Through the object model, which the content security policy allows, unlike a style attribute.
  if (swatch instanceof HTMLElement) swatch.style.backgroundColor = cssColor(playerColor(line.player, line.own));
  if (who) setText(who, line.name);
  if (tag) setText(tag, line.own ? 'you' : line.bot ? 'bot' : line.away ? 'away' : '');
  setText(score, String(line.score));
  setText(kills, String(line.kills));
  setText(deaths, line.deaths === null ? '–' : String(line.deaths));
}
