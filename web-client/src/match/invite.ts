// The link that brings friends into a match: its code, a copy button, and the system's share sheet where there is one.
import { button, copyText, Dialog, el, setText } from '@tickwire/ui';

const TOLD_MS = 2_000;

function inviteLink(code: string): string {
  return new URL(`./?join=${encodeURIComponent(code)}`, document.baseURI).href;
}

/** The code, large enough to read out across a room. */
export function bigCode(code: string): HTMLElement {
  return el(
    'p',
    { class: 'invite-code' },
    el('span', { class: 'muted' }, 'Code'),
    // Letter by letter: it is no word.
    el('b', { class: 'code', 'data-testid': 'code', 'aria-label': Array.from(code).join(' ') }, code),
  );
}

/** The link with its buttons. */
export function inviteRow(code: string): HTMLElement {
  const input = el('input', {
    type: 'text',
    readonly: true,
    value: inviteLink(code),
    'aria-label': 'Link to this match',
    'data-testid': 'invite-link',
  });
  input.addEventListener('focus', () => {
    input.select();
  });
  const copy = button('Copy link', { class: 'secondary small copy', 'data-testid': 'copy-link' }, () => {
    void copyText(input.value).then((copied) => {
      // Where the clipboard is forbidden, the selected text is one key press away.
      if (!copied) input.focus();
      tell(copy, copied ? 'Copied' : 'Press Ctrl+C', 'Copy link');
    });
  });
  return el('div', { class: 'invite' }, input, copy, shareButton(input.value));
}

/** The share sheet of a phone; null where the browser has none. */
function shareButton(url: string): HTMLButtonElement | null {
  // Old browsers and pages without TLS lack it, whatever the types say.
  const share = (navigator as Partial<Navigator>).share?.bind(navigator);
  if (!share) return null;
  const element = button('Share', { class: 'secondary small share', 'data-testid': 'share-link' }, () => {
    share({ title: document.title, text: 'Join my match', url }).catch((error: unknown) => {
      // Who closes the sheet has changed their mind.
      if (!(error instanceof DOMException && error.name === 'AbortError')) tell(element, 'Not shared', 'Share');
    });
  });
  return element;
}

/** The dialog behind the Invite button. */
export function inviteDialog(code: string, onClose: () => void): Dialog {
  const close = button('Back to the match', { class: 'primary', 'data-testid': 'invite-close' }, onClose);
  return new Dialog(
    { title: 'Invite friends', testId: 'invite', onCancel: onClose },
    el('p', { class: 'muted' }, 'Who opens this link sits in this match with you.'),
    bigCode(code),
    inviteRow(code),
    el('div', { class: 'dialog-actions' }, close),
  );
}

function tell(element: HTMLElement, text: string, usual: string): void {
  setText(element, text);
  setTimeout(() => {
    setText(element, usual);
  }, TOLD_MS);
}
