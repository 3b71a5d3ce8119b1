// A short message at the top of the page that goes away by itself.
import { el, setHidden, setText } from '@tickwire/ui';

const SHOWN_MS = 7_000;

export class Toast {
  readonly element = el('div', { class: 'toast', role: 'status', 'data-testid': 'toast', hidden: true });
  private timer: ReturnType<typeof setTimeout> | undefined;

  show(text: string): void {
    setText(this.element, text);
    setHidden(this.element, false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      setHidden(this.element, true);
    }, SHOWN_MS);
  }
}
