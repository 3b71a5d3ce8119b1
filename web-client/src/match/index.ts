// What the page loads when a match comes near, in one piece: the screen, its styles, and the game that is played on it.
import './lobby.css';
import { ArenaScreen, game, type GameEvent, type Input } from '@tickwire/arena';
import type { Replica } from '@tickwire/client';
import type { Game } from '@tickwire/ui';
import { MatchScreen, type MatchScreenOptions } from './match-screen';

/** The game of this page. Another one's view takes the arena's place here. */
const GAME: Game<Input, GameEvent, ArenaScreen> = {
  bindings: game,
  createView: (element, replica, options) => ArenaScreen.create(element, replica, options),
};

export type GameScreen = MatchScreen<Input, GameEvent, ArenaScreen>;

export function createScreen(parent: HTMLElement, replica: Replica, options: MatchScreenOptions): Promise<GameScreen> {
  return MatchScreen.create(GAME, parent, replica, options);
}
