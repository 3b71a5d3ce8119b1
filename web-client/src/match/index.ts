// What the page loads when a match comes near, in one piece: the screen, its styles, and with them the renderer.
import './lobby.css';

export { PlayScreen, type MatchStart, type PlayScreenOptions } from './play-screen';
export { SUBUNITS } from '@tickwire/arena';
