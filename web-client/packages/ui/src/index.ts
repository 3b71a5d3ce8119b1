// What Tickwire's pages are built of.
export { Announcer } from './announcer';
export { closeSentence } from './close-sentences';
export { Dialog } from './dialog';
export { button, copyText, el, setHidden, setText } from './dom';
export {
  formatBytesPerSecond,
  formatClock,
  formatCount,
  formatDuration,
  formatMicroseconds,
  formatOrdinal,
  formatPing,
  formatSpan,
} from './format';
export type { Game, GameView, GameViewOptions, WatchView, WatchViewOptions } from './game-view';
export { icon, type IconName } from './icons';
export { KeyedRows } from './keyed-rows';
export { problemSentence } from './problem-sentences';
