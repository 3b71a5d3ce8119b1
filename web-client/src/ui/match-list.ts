// The open matches on the first page, kept up to date while somebody looks at them.
import type { GameInfo, MatchSummary } from '@tickwire/client';
import { button, el, KeyedRows, setText } from '@tickwire/ui';
import { matchLine } from './match-line';
import { Poller } from './poller';

export interface MatchListOptions {
  readonly list: HTMLElement;
  readonly note: HTMLElement;
  readonly load: () => Promise<readonly MatchSummary[]>;
  readonly onJoin: (id: string) => void;
}

export class MatchList {
  private readonly options: MatchListOptions;
  private readonly rows: KeyedRows<MatchSummary, HTMLElement>;
  private readonly poller: Poller<readonly MatchSummary[]>;
  private matches: readonly MatchSummary[] | null = null;
  private modes: GameInfo['modes'] = [];
  private isBusy = false;

  constructor(options: MatchListOptions) {
    this.options = options;
    this.rows = new KeyedRows({
      parent: options.list,
      key: ({ id }) => id,
      make: (match) => this.newRow(match),
      fill: (row, match) => {
        const text = row.querySelector('.match-text');
        if (text) setText(text, matchLine(match, this.modes));
      },
    });
    this.poller = new Poller({
      ask: options.load,
      onAnswer: (matches) => {
        this.show(matches);
      },
      onFailure: () => {
        this.matches = null;
        this.rows.show([]);
        setText(options.note, 'The list cannot be loaded right now.');
      },
      isHidden: () => document.hidden,
    });
    document.addEventListener('visibilitychange', () => {
      this.poller.visibilityChanged();
    });
  }

  start(): void {
    this.poller.start();
  }

  stop(): void {
    this.poller.stop();
  }

  set info(info: GameInfo) {
    this.modes = info.modes;
    if (this.matches) this.show(this.matches);
  }

  set busy(busy: boolean) {
    this.isBusy = busy;
    for (const join of this.options.list.querySelectorAll('button')) join.disabled = busy;
  }

  private show(matches: readonly MatchSummary[]): void {
    this.matches = matches;
    this.rows.show(matches);
    setText(this.options.note, matches.length === 0 ? 'None right now. Press Play and one starts.' : '');
  }

  private newRow(match: MatchSummary): HTMLElement {
    const join = button('Join', { class: 'secondary small' }, () => {
      this.options.onJoin(match.id);
    });
    join.disabled = this.isBusy;
    return el('li', { 'data-testid': 'match-row' }, el('span', { class: 'match-text' }), join);
  }
}
