// The open matches on the first page, kept up to date while somebody looks at them.
import type { GameInfo, MatchSummary } from '@tickwire/client';
import { button, el, setText } from '@tickwire/ui';
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
  private readonly poller: Poller<readonly MatchSummary[]>;
  private matches: readonly MatchSummary[] | null = null;
  private modes: GameInfo['modes'] = [];
  private isBusy = false;

  constructor(options: MatchListOptions) {
    this.options = options;
    this.poller = new Poller({
      ask: options.load,
      onAnswer: (matches) => {
        this.show(matches);
      },
      onFailure: () => {
        this.matches = null;
        options.list.replaceChildren();
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

  /** Keeps rows of matches that stay, so that focus on their button stays too. */
  private show(matches: readonly MatchSummary[]): void {
    const { list, note } = this.options;
    this.matches = matches;
    const rows = new Map([...list.children].map((row) => [row.getAttribute('data-match') ?? '', row]));
    const kept = matches.map((match) => {
      const row = rows.get(match.id) ?? this.row(match);
      const text = row.querySelector('.match-text');
      if (text) setText(text, matchLine(match, this.modes));
      return row;
    });
    const unchanged = kept.length === list.children.length && kept.every((row, i) => row === list.children[i]);
    if (!unchanged) list.replaceChildren(...kept);
    setText(note, matches.length === 0 ? 'None right now. Press Play and one starts.' : '');
  }

  private row(match: MatchSummary): HTMLElement {
    const join = button('Join', { class: 'secondary small' }, () => {
      this.options.onJoin(match.id);
    });
    join.disabled = this.isBusy;
    return el('li', { 'data-match': match.id, 'data-testid': 'match-row' }, el('span', { class: 'match-text' }), join);
  }
}
