// The dialog that stands between the player and a match. What it says comes from `connection-story.ts`.
import type { ActionKind, Story } from './connection-story';
import { button, Dialog, el, setHidden, setText } from '@tickwire/ui';

const LABELS: Readonly<Record<ActionKind, { readonly label: string; readonly testId: string }>> = {
  retry: { label: 'Retry now', testId: 'retry' },
  cancel: { label: 'Cancel', testId: 'status-leave' },
  leave: { label: 'Leave', testId: 'status-leave' },
  back: { label: 'Back to start', testId: 'status-leave' },
  reload: { label: 'Reload', testId: 'reload' },
  take_back: { label: 'Take it back', testId: 'take-back' },
  sign_in: { label: 'Sign in', testId: 'sign-in-again' },
  again: { label: 'Play another match', testId: 'again' },
};
/** Those that go on, as opposed to away. */
const PRIMARY: ReadonlySet<ActionKind> = new Set(['retry', 'reload', 'take_back', 'again', 'sign_in']);

/** At most one story is told; telling it with other words disturbs neither the focus nor the dialog. */
export class StatusScreen {
  private readonly onAction: (action: ActionKind) => void;
  private dialog: Dialog | null = null;
  private shownId = '';
  private shownActions = '';
  private readonly text = el('p', { class: 'status-text', role: 'status', 'data-testid': 'status-text' });
  private readonly spinner = el('span', { class: 'spinner', 'aria-hidden': 'true' });
  private readonly actions = el('div', { class: 'dialog-actions' });

  constructor(onAction: (action: ActionKind) => void) {
    this.onAction = onAction;
  }

  get isShown(): boolean {
    return this.dialog !== null;
  }

  show(story: Story | null): void {
    if (!story) {
      this.hide();
      return;
    }
    const actions = story.actions.join();
    if (actions !== this.shownActions) {
      this.shownActions = actions;
      this.actions.replaceChildren(...story.actions.map((action) => this.actionButton(action)));
    }
    setHidden(this.spinner, !story.busy);
    setText(this.text, story.sentence);
    const dialog = this.dialog && story.id === this.shownId ? this.dialog : this.open(story);
    dialog.title = story.title;
  }

  hide(): void {
    this.dialog?.close();
    this.dialog = null;
  }

  private open(story: Story): Dialog {
    this.hide();
    this.shownId = story.id;
    const dialog = new Dialog(
      { title: story.title, testId: story.id, alert: story.id !== 'connecting' },
      el('div', { class: 'status-row' }, this.spinner, this.text),
      this.actions,
    );
    dialog.element.classList.add('status');
    dialog.open();
    this.dialog = dialog;
    return dialog;
  }

  private actionButton(action: ActionKind): HTMLButtonElement {
    const { label, testId } = LABELS[action];
    const look = PRIMARY.has(action) ? 'primary' : 'secondary';
    return button(label, { class: look, 'data-testid': testId }, () => {
      this.onAction(action);
    });
  }
}
