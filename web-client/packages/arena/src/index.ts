// How the arena looks and is played.
import './arena.css';

export { ArenaScreen, type ArenaDescription, type DrawnFighter } from './arena-screen';
export { game, type GameEvent, type Input } from './generated';
export { SpectatorScreen } from './spectator-screen';
