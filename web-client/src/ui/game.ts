// Which game this page is for, as far as the first page must know before the game's code is there.
import { MODES } from '@tickwire/arena/bindings';

export { BODY, NAME as GAME_NAME } from '@tickwire/arena/bindings';

/** The mode to play before the server has told its modes. */
export const [DEFAULT_MODE] = MODES;
