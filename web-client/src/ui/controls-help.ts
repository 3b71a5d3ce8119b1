// How to play, for mouse and keyboard and for touch; CSS shows the one that fits. The first page has the same in its HTML.
import { el } from './dom';

export function controlsHelp(): HTMLElement {
  const item = (keys: readonly string[], what: string): HTMLElement =>
    el('li', {}, ...keys.map((key) => el('kbd', {}, key)), ` ${what}`);
  return el(
    'div',
    { class: 'help' },
    el(
      'ul',
      { class: 'help-keys', 'aria-label': 'Controls' },
      item(['W', 'A', 'S', 'D'], 'move'),
      item(['Mouse'], 'aim and fire'),
      item(['Space'], 'dash'),
      item(['Tab'], 'scores'),
      item(['Esc'], 'menu'),
    ),
    el('p', { class: 'help-touch muted' }, 'Left thumb moves, right thumb aims and fires, the button dashes.'),
  );
}
