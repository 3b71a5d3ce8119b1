// Keeps a phone from zooming the page while a match is played: two thumbs on the screen are no pinch, and the stage takes
// every gesture, so that nothing would lead back.

const SCALE_FIXED = ', maximum-scale=1, user-scalable=no';

/** Locks the zoom, or gives it back. A page that is zoomed already returns to its own size. */
export class ZoomLock {
  private usual: string | null = null;
  private listening: AbortController | null = null;

  lock(): void {
    if (this.listening) return;
    this.listening = new AbortController();
    // Safari's own gestures, which no `touch-action` covers.
    for (const gesture of ['gesturestart', 'gesturechange']) {
      document.addEventListener(gesture, preventDefault, { signal: this.listening.signal, passive: false });
    }
    const meta = viewportMeta();
    if (!meta) return;
    this.usual = meta.content;
    meta.content += SCALE_FIXED;
  }

  release(): void {
    this.listening?.abort();
    this.listening = null;
    const meta = viewportMeta();
    if (meta && this.usual !== null) meta.content = this.usual;
    this.usual = null;
  }
}

function viewportMeta(): HTMLMetaElement | null {
  return document.querySelector<HTMLMetaElement>('meta[name="viewport"]');
}

function preventDefault(event: Event): void {
  event.preventDefault();
}
