// What a stage says while the browser has taken the canvas's context away: a driver that restarts,
// a phone short of memory, too many tabs. The match goes on; where the browser gives the context
// back, so does the picture.
import { button, el } from '@tickwire/ui';

const LOST = ['webglcontextlost', 'contextlost'] as const;
const RESTORED = ['webglcontextrestored', 'contextrestored'] as const;

export class GraphicsLoss {
  private readonly note: HTMLElement;
  private readonly listening = new AbortController();
  private isLost = false;

  constructor(stage: HTMLElement, canvas: HTMLCanvasElement, onRestored: () => void) {
    this.note = el(
      'div',
      { class: 'graphics-lost', role: 'alert', 'data-testid': 'graphics-lost' },
      el('p', {}, 'The browser has stopped the graphics of this page.'),
      el(
        'p',
        { class: 'muted' },
        'The match goes on. If the picture does not come back by itself, reload: your seat is kept.',
      ),
      button('Reload', { class: 'primary' }, () => {
        window.location.reload();
      }),
    );
    const { signal } = this.listening;
    // A press on the note is not one on the stage.
    this.note.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
    });
    for (const name of LOST) {
      canvas.addEventListener(
        name,
        (event) => {
          // Without this a WebGL context never comes back.
          if (name === 'webglcontextlost') event.preventDefault();
          this.isLost = true;
          stage.append(this.note);
        },
        { signal },
      );
    }
    for (const name of RESTORED) {
      canvas.addEventListener(
        name,
        () => {
          this.isLost = false;
          this.note.remove();
          onRestored();
        },
        { signal },
      );
    }
  }

  /** There is nothing to draw on. */
  get lost(): boolean {
    return this.isLost;
  }

  dispose(): void {
    this.listening.abort();
    this.note.remove();
  }
}
