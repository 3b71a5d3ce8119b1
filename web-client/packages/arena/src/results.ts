// The end of a match: who won, a vote for another round, or away.
import { Announcer, button, Dialog, el, setHidden, setText } from '@tickwire/ui';
import type { ScoreLine } from './hud-model';
import { headline, TOLD_SECONDS, voteNote, type Vote } from './results-model';
import { Scoreboard } from './scoreboard';

export interface ResultsOptions {
  readonly lines: readonly ScoreLine[];
  readonly vote: Vote;
  /** Sends the vote; false if it could not be sent. */
  readonly onRematch: () => boolean;
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
}

export class ResultsScreen {
  private readonly dialog: Dialog;
  private readonly table = new Scoreboard('Final scores');
  /** Counts, so it is shown and not read out; the announcer says it at some moments. */
  private readonly note = el('p', { class: 'muted results-note', 'data-testid': 'rematch-note' });
  private readonly announcer = new Announcer();
  private readonly rematch: HTMLButtonElement;
  private readonly again: HTMLButtonElement;
  private vote: Vote;
  private hadVoted = false;
  private secondsLeft = Infinity;

  constructor(options: ResultsOptions) {
    this.vote = options.vote;
    this.table.update(options.lines);
    this.rematch = button('Rematch', { class: 'primary', 'data-testid': 'rematch' }, () => {
      if (this.vote === 'open' && options.onRematch()) this.setVote('voted');
    });
    this.again = button(
      'Play another match',
      { class: 'primary', 'data-testid': 'play-again', hidden: true },
      options.onPlayAgain,
    );
    const leave = button('Leave', { class: 'secondary', 'data-testid': 'results-leave' }, options.onLeave);
    this.dialog = new Dialog(
      { title: headline(options.lines), testId: 'results' },
      el('div', { class: 'table-scroll', 'data-testid': 'results-scores' }, this.table.element),
      this.note,
      this.announcer.element,
      el('div', { class: 'dialog-actions' }, this.rematch, this.again, leave),
    );
    this.dialog.element.classList.add('results');
    // The keys of the last fight must press no button.
    this.dialog.element.tabIndex = -1;
    this.setVote(options.vote);
  }

  open(): void {
    this.dialog.open();
    this.dialog.element.focus();
  }

  close(): void {
    this.dialog.close();
  }

  get isOver(): boolean {
    return this.vote === 'over';
  }

  /** More is known of the same results. */
  update(lines: readonly ScoreLine[]): void {
    this.table.update(lines);
  }

  /** Time left to vote. */
  countdown(secondsLeft: number): void {
    if (this.isOver) return;
    const seconds = Math.max(0, Math.ceil(secondsLeft));
    if (seconds === this.secondsLeft) return;
    const opening = this.secondsLeft === Infinity;
    this.secondsLeft = seconds;
    this.showNote();
    if (opening || TOLD_SECONDS.includes(seconds)) this.announcer.say(this.note.textContent);
  }

  /** The match closed without a rematch: the only ways on are elsewhere. */
  over(): void {
    this.setVote('over');
    this.again.focus();
  }

  private setVote(vote: Vote): void {
    this.hadVoted ||= vote === 'voted' || vote === 'seated';
    this.vote = vote;
    this.rematch.disabled = vote !== 'open';
    setText(this.rematch, vote === 'voted' ? 'Voted for a rematch' : 'Rematch');
    setHidden(this.rematch, vote === 'over' || vote === 'seated');
    setHidden(this.again, vote !== 'over');
    if (this.secondsLeft === Infinity && vote !== 'over') return;
    this.showNote();
    this.announcer.say(this.note.textContent);
  }

  private showNote(): void {
    setText(this.note, voteNote(this.vote, this.secondsLeft, this.hadVoted));
  }
}
