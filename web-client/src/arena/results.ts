// The end of a match: who won, a vote for another round, or away.
import { button, el, setText } from '../ui/dom';
import { Dialog } from '../ui/dialog';
import { formatOrdinal } from '../ui/format';
import type { ScoreLine } from './hud-model';
import { Scoreboard } from './scoreboard';

export interface ResultsOptions {
  readonly lines: readonly ScoreLine[];
  /** Sends the vote; false if it could not be sent. */
  readonly onRematch: () => boolean;
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
}

export class ResultsScreen {
  private readonly dialog: Dialog;
  private readonly note = el('p', { class: 'muted results-note', role: 'status', 'data-testid': 'rematch-note' });
  private readonly rematch: HTMLButtonElement;
  private readonly again: HTMLButtonElement;
  private voted = false;

  constructor(options: ResultsOptions) {
    const own = options.lines.find((line) => line.own);
    const table = new Scoreboard('Final scores');
    table.update(options.lines);
    this.rematch = button('Rematch', { class: 'primary', 'data-testid': 'rematch' }, () => {
      if (!options.onRematch()) return;
      this.voted = true;
      this.rematch.disabled = true;
      setText(this.rematch, 'Voted for a rematch');
    });
    this.again = button(
      'Play another match',
      { class: 'primary', 'data-testid': 'play-again', hidden: true },
      options.onPlayAgain,
    );
    const leave = button('Leave', { class: 'secondary', 'data-testid': 'results-leave' }, options.onLeave);
    this.dialog = new Dialog(
      { title: headline(options.lines, own), testId: 'results' },
      el('div', { class: 'table-scroll' }, table.element),
      this.note,
      el('div', { class: 'dialog-actions' }, this.rematch, this.again, leave),
    );
    this.dialog.element.classList.add('results');
  }

  open(): void {
    this.dialog.open();
  }

  close(): void {
    this.dialog.close();
  }

  /** Time left to vote, told in whole seconds. */
  countdown(secondsLeft: number): void {
    const seconds = Math.max(0, Math.ceil(secondsLeft));
    if (seconds === 0) setText(this.note, 'The vote is over.');
    else if (this.voted) setText(this.note, `Waiting for the others: ${seconds} s`);
    else setText(this.note, `Vote within ${seconds} s for another round with the same players.`);
  }

  /** The match closed without a rematch: the only ways on are elsewhere. */
  over(): void {
    this.rematch.hidden = true;
    this.again.hidden = false;
    setText(this.note, 'This match is over.');
    this.again.focus();
  }
}

function headline(lines: readonly ScoreLine[], own: ScoreLine | undefined): string {
  if (own?.rank === 1) return 'You won!';
  if (own) return `You came ${formatOrdinal(own.rank)}`;
  return lines[0] ? `${lines[0].name} won` : 'Match over';
}
