// How the arena looks and is played.
import './arena.css';

export { announcement } from './announcements';
export { InputCapture } from './capture';
export { parseArenaEvent } from './events';
export { inputNumbers } from './generated';
export { Hud } from './hud';
export { buildHud, deathNote, feedLine, killNote, type HudModel } from './hud-model';
export { Minimap } from './minimap';
export { Presence } from './presence';
export { ResultsFlow } from './results-flow';
export { TELEPORT_UNITS } from './scene';
export { Scoreboard } from './scoreboard';
export type { Box } from './stick-place';
export { Sticks } from './sticks';
export { SUBUNITS } from './tables';
export { ArenaView, type Frame } from './view';
