// What a game brings to the pages: how a match of it looks and is played, and how it looks to who watches.
import type { GameBindings, MatchSession, Phase, Replica, Results, TableFields } from '@tickwire/client';

export interface GameViewOptions {
  /** The player wants the menu, or the link for friends. */
  readonly onMenu: () => void;
  readonly onInvite: () => void;
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
  /** The match is in another phase, or the results went away. */
  readonly onChange: () => void;
  /** Tells who does not see the screen. */
  readonly say: (sentence: string) => void;
}

/** A screen that shows one match after another. */
export interface GameView<Input, Event> {
  /** The own body, if it is further than this from where it was drawn, did not move there: it is drawn there at once. */
  readonly teleport: number;
  /** Where the match is in its life, as last shown; null before anything was. */
  readonly phase: Phase | null;
  /** The game shows something that takes the keys, as its results. */
  readonly isBusy: boolean;
  /** Whether keys, mouse and fingers play. */
  set enabled(enabled: boolean);
  /** Something else stands over the match that has not begun. */
  set covered(covered: boolean);
  /** Shows a match. `isNewcomer`: the player has just got the seat; `canInvite`: a link leads others into the match. */
  begin(session: MatchSession<Input, Event>, isNewcomer: boolean, canInvite: boolean): void;
  /** Shows nothing any more. */
  end(): void;
  /** The session has a seat, again after every reconnect. */
  welcomed(): void;
  rosterChanged(): void;
  /** What the player holds down now. */
  readInput(): Input;
  /** The own body was predicted one tick further; null while there is none. */
  stepped(tick: number, row: Int32Array | null): void;
  /** The game's own event, with the tick of the snapshot it came with. */
  happened(event: Event, tick: number): void;
  showResults(results: Results): void;
  /** The match ended for good. True if its results are on the screen and stay. */
  matchOver(): boolean;
  /** How messages go, if not the usual way. */
  showPath(sentence: string): void;
}

export interface Game<Input, Event, View extends GameView<Input, Event>> {
  readonly bindings: GameBindings<TableFields, Input, Event>;
  /** Builds the view inside `element`. */
  readonly createView: (element: HTMLElement, replica: Replica, options: GameViewOptions) => Promise<View>;
}

/** How a game shows a match to who has no seat in it. */
export interface WatchView<Input, Event> {
  /** What belongs beside the stage. */
  readonly side: HTMLElement;
  begin(session: MatchSession<Input, Event>): void;
  welcomed(): void;
  happened(event: Event, tick: number): void;
  /** Looks at this player; null: at the whole map. */
  follow(player: number | null): void;
  dispose(): void;
}

export interface WatchViewOptions {
  /** What the match does, in a few words; several times a second. */
  readonly onStatus: (status: string) => void;
}
