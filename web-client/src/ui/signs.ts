// What is told above a match without a dialog: a connection that falters, a restart that is near, and toasts.
//
// Invariant: what counts is shown and not read out; screen readers are told each thing once.
import { drainSentence } from './connection-story';
import { el, setHidden, setText } from '@tickwire/ui';
import { Toast } from './toast';

export class Signs {
  readonly element: HTMLElement;
  readonly toast = new Toast();
  private readonly seconds = el('span', { class: 'sign-count', 'aria-hidden': 'true' });
  private readonly stalled = el('p', { class: 'sign', role: 'status', 'data-testid': 'stalled' });
  private readonly drain = el('p', { class: 'sign', 'aria-hidden': 'true', 'data-testid': 'drain', hidden: true });
  private readonly drainTold = el('p', { class: 'visually-hidden', role: 'status' });

  constructor() {
    this.element = el('div', { class: 'signs' }, this.stalled, this.drain, this.drainTold, this.toast.element);
  }

  /** Milliseconds without news from the server; null takes the sign away. */
  showStalled(ms: number | null): void {
    if (ms === null) {
      this.stalled.replaceChildren();
      return;
    }
    setText(this.seconds, ` ${(ms / 1_000).toFixed(1)} s`);
    if (!this.stalled.hasChildNodes()) this.stalled.replaceChildren('Reconnecting…', this.seconds);
  }

  /** Seconds until the server restarts; null takes the banner away. */
  showDrain(seconds: number | null): void {
    setHidden(this.drain, seconds === null);
    if (seconds === null) {
      setText(this.drainTold, '');
      return;
    }
    setText(this.drain, drainSentence(seconds));
    if (this.drainTold.textContent === '') setText(this.drainTold, drainSentence(seconds));
  }
}
