// Modal dialogs on the native element, which gives focus trapping, an inert page behind and restored focus.
import { el, setText } from './dom';

export interface DialogOptions {
  readonly title: string;
  readonly testId: string;
  /** Escape closes it. Without, only its buttons do. */
  readonly onCancel?: () => void;
  /** Told at once by screen readers. */
  readonly alert?: boolean;
}

export class Dialog {
  readonly element: HTMLDialogElement;
  readonly body: HTMLElement;
  private readonly heading: HTMLElement;

  constructor(options: DialogOptions, ...children: readonly (Node | string)[]) {
    const titleId = `${options.testId}-title`;
    this.heading = el('h2', { id: titleId }, options.title);
    this.body = el('div', { class: 'dialog-body' }, ...children);
    this.element = el(
      'dialog',
      {
        class: 'dialog',
        'data-testid': options.testId,
        'aria-labelledby': titleId,
        role: options.alert === true ? 'alertdialog' : 'dialog',
      },
      this.heading,
      this.body,
    );
    this.element.addEventListener('cancel', (event) => {
      event.preventDefault();
      options.onCancel?.();
    });
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  set title(title: string) {
    setText(this.heading, title);
  }

  open(): void {
    if (this.element.open) return;
    document.body.append(this.element);
    this.element.showModal();
  }

  close(): void {
    this.element.close();
    this.element.remove();
  }
}
