// Which game this page is for.

/** As the server names it in `/api/info`. */
export const GAME = 'arena';
/** The mode of a page that the server has not told its modes yet. */
export const DEFAULT_MODE = 'ffa';
