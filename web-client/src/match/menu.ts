// The menu of a match: how to play, the link for friends, and the way out.
import type { InputRecorder } from '@tickwire/client';
import { button, Dialog, el } from '@tickwire/ui';
import { inviteRow } from './invite';

export interface MenuOptions {
  /** Empty where there is none to give away. */
  readonly code: string;
  readonly recorder: InputRecorder | null;
  readonly onClose: () => void;
  readonly onLeave: () => void;
}

export function menuDialog({ code, recorder, onClose, onLeave }: MenuOptions): Dialog {
  const resume = button('Back to the match', { class: 'primary', 'data-testid': 'menu-resume' }, onClose);
  const leave = button('Leave match', { class: 'secondary', 'data-testid': 'leave' }, onLeave);
  return new Dialog(
    { title: 'Menu', testId: 'menu', onCancel: onClose },
    el('p', { class: 'muted' }, 'The match goes on while this is open.'),
    el('div', { class: 'dialog-actions' }, resume, leave),
    ...(code === '' ? [] : [el('h3', {}, 'Invite friends'), inviteRow(code)]),
    el('h3', {}, 'How to play'),
    ...howToPlay(),
    ...(recorder ? [saveRecording(recorder)] : []),
  );
}

/** As the first page says it. */
function howToPlay(): Node[] {
  return Array.from(document.querySelectorAll('.landing .help'), (help) => help.cloneNode(true));
}

/** For developers: what was played so far, for a load test's bots to play. */
function saveRecording(recorder: InputRecorder): HTMLElement {
  return button(`Save my ${String(recorder.length)} inputs`, { class: 'link', 'data-testid': 'save-recording' }, () => {
    const file = URL.createObjectURL(new Blob([recorder.toJson()], { type: 'application/json' }));
    el('a', { href: file, download: 'tickwire-inputs.json' }).click();
    URL.revokeObjectURL(file);
  });
}
