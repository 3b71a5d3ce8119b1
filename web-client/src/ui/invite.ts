// The link that brings friends into a match, with a copy button.
import { button, copyText, el, setText } from './dom';

export function inviteLink(code: string): string {
  return new URL(`./?join=${encodeURIComponent(code)}`, document.baseURI).href;
}

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
      if (!copied) input.select();
      setText(copy, copied ? 'Copied' : 'Press Ctrl+C');
      setTimeout(() => {
        setText(copy, 'Copy link');
      }, 2_000);
    });
  });
  return el('div', { class: 'invite' }, input, copy);
}
