// How the arena looks and is played.
import './arena.css';

export { ArenaScreen, type ArenaDescription, type DrawnFighter, type ArenaScreenOptions } from './arena-screen';
export { game, type GameEvent, type Input } from './generated';
export { SpectatorScreen, type SpectatorOptions } from './spectator-screen';
