// Asks the operator why somebody leaves a match or is banned, and for how long.
import { button, Dialog, el, problemSentence, setText } from '@tickwire/ui';
import type { NewBan, Person } from './admin-api';

const LENGTHS: readonly (readonly [string, number | null])[] = [
  ['1 hour', 3_600],
  ['1 day', 86_400],
  ['1 week', 604_800],
  ['30 days', 2_592_000],
  ['Until it is lifted', null],
];
const REASON_CHARS_MAX = 200;

export function askToKick(person: Person, kick: (reason: string) => Promise<void>): void {
  const reason = reasonField('Written down; the player does not read it.');
  ask('Kick', `Kick ${person.name}`, [el('p', {}, 'They lose their seat, and may come again.'), reason.label], () =>
    kick(reason.input.value),
  );
}

export function askToBan(person: Person, ban: (ban: NewBan) => Promise<void>): void {
  const reason = reasonField('The player reads it.');
  const length = el('select', { 'data-testid': 'ban-length' }, ...LENGTHS.map(([title]) => el('option', {}, title)));
  const { network } = person;
  const [player, playerLabel] = checkbox('This player', 'ban-player');
  const [address, addressLabel] = checkbox(`Everyone from ${network ?? ''}`, 'ban-address');
  player.checked = true;
  ask(
    'Ban',
    `Ban ${person.name}`,
    [
      playerLabel,
      network === null ? null : addressLabel,
      el('p', { class: 'muted' }, 'A guest can become another one; an address may be shared by many.'),
      el('label', {}, 'For how long ', length),
      reason.label,
    ],
    () => {
      const seconds = LENGTHS[length.selectedIndex]?.[1] ?? null;
      return ban({
        name: person.name,
        reason: reason.input.value,
        ...(player.checked ? { session: person.session } : {}),
        ...(address.checked && network !== null ? { network } : {}),
        ...(seconds === null ? {} : { seconds }),
      });
    },
  );
}

function ask(verb: string, title: string, fields: readonly (Node | null)[], act: () => Promise<void>): void {
  const problem = el('p', { class: 'form-error', role: 'alert', 'data-testid': 'verdict-problem' });
  const dialog = new Dialog(
    {
      title,
      testId: 'verdict',
      onCancel: () => {
        dialog.close();
      },
    },
    ...fields.filter((field) => field !== null),
    problem,
  );
  const run = async (): Promise<void> => {
    try {
      await act();
      dialog.close();
    } catch (error) {
      setText(problem, problemSentence(error, 'The server refused that.'));
    }
  };
  const actions = el(
    'div',
    { class: 'dialog-actions' },
    button('Cancel', { class: 'secondary' }, () => {
      dialog.close();
    }),
    button(verb, { class: 'primary', 'data-testid': 'verdict-confirm' }, () => void run()),
  );
  dialog.body.append(actions);
  dialog.open();
}

function reasonField(hint: string): { readonly input: HTMLInputElement; readonly label: HTMLElement } {
  const input = el('input', { type: 'text', maxlength: String(REASON_CHARS_MAX), 'data-testid': 'verdict-reason' });
  return { input, label: el('label', {}, `Reason. ${hint} `, input) };
}

function checkbox(text: string, testId: string): [HTMLInputElement, HTMLElement] {
  const input = el('input', { type: 'checkbox', 'data-testid': testId });
  return [input, el('label', { class: 'check' }, input, ` ${text}`)];
}
