// What the client knows of a game. `cargo xtask bindings` writes one for each, as `game` in its `generated.ts`.
import type { TableFields } from './layout';

/** The table whose row is predicted for the own player, and the fields that say where it is. */
export interface Body {
  readonly table: string;
  readonly place: readonly string[];
}

export interface GameBindings<Tables extends TableFields, Input, Event> {
  /** As the server names it. */
  readonly name: string;
  readonly tables: Tables;
  /** Null in a game that predicts nothing. */
  readonly body: Body | null;
  /** An input as the browser module takes it. */
  readonly inputNumbers: (input: Input) => readonly number[];
  /** Never set: it is here for its type, that of what happens in the game. */
  readonly event?: Event;
}
