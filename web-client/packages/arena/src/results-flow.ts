// The results of each round of a match, from the server's ranking to the next round or the end.
//
// Invariant: once a match is over for the player, its results stay as they are until they are closed.
import type { Results } from '@tickwire/client';
import type { HudModel, ScoreLine } from './hud-model';
import { ResultsScreen } from './results';
import { resultLines, type Vote } from './results-model';
import type { ArenaSession } from './session';

export interface ResultsFlowOptions {
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
}

export class ResultsFlow {
  private readonly options: ResultsFlowOptions;
  private screen: ResultsScreen | null = null;
  private sawFinished = false;
  /** The round that the player voted after, by the tick until which votes count. */
  private votedBy: number | null = null;
  /** The player has just got the seat and has seen nothing of the round before its results. */
  private isNewcomer = false;
  /** Of everyone seen in this match: the results name those who left, too. */
  private readonly names = new Map<number, string>();

  constructor(options: ResultsFlowOptions) {
    this.options = options;
  }

  get isOpen(): boolean {
    return this.screen !== null;
  }

  /** Another seat, or the same one again. `isNewcomer`: the player has just got it. */
  begin(isNewcomer: boolean): void {
    this.close();
    this.isNewcomer = isNewcomer;
    this.votedBy = null;
    this.names.clear();
  }

  /** The session was welcomed: what it says of the results comes next. */
  welcomed(): void {
    this.sawFinished = false;
  }

  /** Somebody came, left or has another name. */
  remember(session: ArenaSession): void {
    for (const entry of session.roster.values()) this.names.set(entry.player, entry.name);
  }

  show(results: Results, session: ArenaSession, model: HudModel | null): void {
    if (this.screen?.isOver === true) return;
    this.close();
    this.screen = new ResultsScreen({
      lines: this.lines(results, session, model),
      vote: this.voteOf(results),
      onRematch: () => this.voteRematch(results, session),
      onPlayAgain: this.options.onPlayAgain,
      onLeave: this.options.onLeave,
    });
    this.sawFinished = false;
    this.screen.open();
  }

  /** Counts down, and closes when the next round begins, which it answers. Call it for every look at the match. */
  follow(session: ArenaSession, model: HudModel, tick: number): boolean {
    if (model.phase !== 'finished') this.isNewcomer = false;
    if (this.screen?.isOver !== false) return false;
    const { results } = session;
    if (model.phase === 'finished') this.sawFinished = true;
    // The results may come just before the snapshot that shows the match finished. If there are none since a Welcome, the
    // match began anew meanwhile.
    else if (this.sawFinished || !results) {
      this.close();
      return true;
    }
    if (!results) return false;
    this.screen.update(this.lines(results, session, model));
    this.screen.countdown((results.rematchBy - tick) / session.tickRate);
    return false;
  }

  /** The match ended for good. True if its results are on the screen, where they stay. */
  over(): boolean {
    this.screen?.over();
    return this.isOpen;
  }

  close(): void {
    this.screen?.close();
    this.screen = null;
  }

  private lines(results: Results, session: ArenaSession, model: HudModel | null): ScoreLine[] {
    return resultLines(results, session.roster, session.player, model, this.names);
  }

  private voteOf(results: Results): Vote {
    if (this.isNewcomer) return 'seated';
    return this.votedBy === results.rematchBy ? 'voted' : 'open';
  }

  private voteRematch(results: Results, session: ArenaSession): boolean {
    const sent = session.voteRematch();
    if (sent) this.votedBy = results.rematchBy;
    return sent;
  }
}
