// Which game this page is for: its name, and the mode to play before the server has told its modes.
import { MODES, NAME } from '@tickwire/arena/bindings';

export const GAME = NAME;
export const [DEFAULT_MODE] = MODES;
