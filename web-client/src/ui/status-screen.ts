// What stands between the player and a match: connecting, connection lost, server away, or an end that needs a choice.
import { button, el, setHidden, setText } from './dom';
import { Dialog } from './dialog';

export interface StatusAction {
  readonly label: string;
  readonly testId: string;
  readonly primary?: boolean;
  readonly run: () => void;
}

export interface StatusContent {
  readonly testId: string;
  readonly title: string;
  readonly text: string;
  /** Counts down to this moment after the text, as in "… in 3 s". */
  readonly untilMs?: number;
  readonly spinner?: boolean;
  readonly alert?: boolean;
  readonly actions: readonly StatusAction[];
}

const COUNT_INTERVAL_MS = 200;

/** At most one status is shown; showing the same one again only changes its words. */
export class StatusScreen {
  private dialog: Dialog | null = null;
  private shownId = '';
  private readonly text = el('p', { class: 'status-text', 'data-testid': 'status-text' });
  private readonly spinner = el('span', { class: 'spinner', 'aria-hidden': 'true' });
  private readonly actions = el('div', { class: 'dialog-actions' });
  private timer: ReturnType<typeof setInterval> | undefined;

  show(content: StatusContent): void {
    const id = `${content.testId}/${content.title}/${content.actions.map((action) => action.label).join('/')}`;
    if (this.shownId !== id) this.rebuild(content, id);
    setHidden(this.spinner, content.spinner !== true);
    clearInterval(this.timer);
    const { untilMs } = content;
    if (untilMs === undefined) {
      setText(this.text, content.text);
      return;
    }
    const count = (): void => {
      const seconds = Math.ceil(Math.max(0, untilMs - performance.now()) / 1000);
      setText(this.text, seconds > 0 ? `${content.text} in ${seconds} s…` : `${content.text}…`);
    };
    count();
    this.timer = setInterval(count, COUNT_INTERVAL_MS);
  }

  hide(): void {
    clearInterval(this.timer);
    this.dialog?.close();
    this.dialog = null;
    this.shownId = '';
  }

  private rebuild(content: StatusContent, id: string): void {
    this.hide();
    this.shownId = id;
    this.actions.replaceChildren(
      ...content.actions.map((action) =>
        button(
          action.label,
          { class: action.primary === true ? 'primary' : 'secondary', 'data-testid': action.testId },
          () => {
            action.run();
          },
        ),
      ),
    );
    this.dialog = new Dialog(
      { title: content.title, testId: content.testId, alert: content.alert === true },
      el('div', { class: 'status-row' }, this.spinner, this.text),
      this.actions,
    );
    this.dialog.element.classList.add('status');
    this.dialog.open();
  }
}
