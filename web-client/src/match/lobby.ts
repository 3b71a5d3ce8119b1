// Where a match's players wait for it to start: who is here, who is ready, the link, and what its host decides.
import { Announcer, button, el, formatCount, icon, KeyedRows, setHidden, setText } from '@tickwire/ui';
import { bigCode, inviteRow } from './invite';
import { lobbyNews, type LobbyModel, type LobbyPerson } from './lobby-model';

export interface LobbyOptions {
  readonly onReady: (ready: boolean) => void;
  readonly onStart: () => void;
  readonly onBots: (bots: boolean) => void;
  readonly onLeave: () => void;
}

export class LobbyScreen {
  readonly element: HTMLElement;
  private readonly people = el('ul', { class: 'lobby-people', 'data-testid': 'lobby-people' });
  private readonly rows = new KeyedRows<LobbyPerson, HTMLElement>({
    parent: this.people,
    key: ({ player }) => String(player),
    make: newRow,
    fill: fillRow,
  });
  private readonly count = el('h2', { id: 'lobby-people-title' });
  private readonly inviteSlot = el('div', { class: 'lobby-invite' });
  private readonly note = el('p', { class: 'lobby-note', 'data-testid': 'lobby-note' });
  private readonly announcer = new Announcer();
  private readonly bots = el('input', { type: 'checkbox', id: 'lobby-bots', 'data-testid': 'lobby-bots' });
  private readonly botsNote = el('span', { class: 'muted lobby-bots-note', id: 'lobby-bots-note' });
  private readonly ready: HTMLButtonElement;
  private readonly start: HTMLButtonElement;
  private model: LobbyModel | null = null;

  constructor(options: LobbyOptions) {
    this.ready = button(
      "I'm ready",
      { class: 'primary ready', 'aria-pressed': 'false', 'data-testid': 'ready' },
      () => {
        options.onReady(this.model?.isReady !== true);
      },
    );
    this.ready.prepend(icon('check'));
    this.start = button('Start now', { class: 'secondary', 'data-testid': 'start' }, options.onStart);
    const leave = button('Leave', { class: 'link', 'data-testid': 'lobby-leave' }, options.onLeave);
    this.bots.addEventListener('change', () => {
      options.onBots(this.bots.checked);
    });
    this.bots.setAttribute('aria-describedby', this.botsNote.id);
    this.element = el(
      'section',
      { class: 'lobby', 'aria-labelledby': 'lobby-title', 'data-testid': 'lobby', hidden: true },
      el(
        'div',
        { class: 'lobby-card' },
        el('h1', { id: 'lobby-title' }, 'Lobby'),
        el(
          'div',
          { class: 'lobby-main' },
          el('section', { 'aria-labelledby': 'lobby-people-title' }, this.count, this.people),
          el(
            'section',
            { 'aria-labelledby': 'lobby-invite-title' },
            el('h2', { id: 'lobby-invite-title' }, 'Invite friends'),
            this.inviteSlot,
            el(
              'div',
              { class: 'lobby-bots' },
              el('label', { class: 'switch', for: 'lobby-bots' }, this.bots, 'Bots fill the free seats'),
              this.botsNote,
            ),
          ),
        ),
        el(
          'footer',
          { class: 'lobby-foot' },
          this.note,
          el('div', { class: 'lobby-actions' }, this.ready, this.start, leave),
        ),
        this.announcer.element,
      ),
    );
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** Opens on the first call for a match, then follows. */
  show(model: LobbyModel, code: string): void {
    const opening = !this.isOpen;
    if (opening) {
      this.inviteSlot.replaceChildren(...(code === '' ? [] : [bigCode(code), inviteRow(code)]));
      setHidden(this.element, false);
    }
    this.announcer.say(opening ? model.note : lobbyNews(this.model, model));
    this.model = model;
    setText(this.count, formatCount(model.people.length, 'player'));
    this.rows.show(model.people);
    this.showChoices(model);
    setText(this.note, model.note);
    if (opening) this.focusFirst(model);
  }

  hide(): void {
    this.model = null;
    this.inviteSlot.replaceChildren();
    setHidden(this.element, true);
  }

  /** Who waits alone wants the link; who was invited wants to say that they are ready. Never a start by accident. */
  private focusFirst(model: LobbyModel): void {
    const copy = this.inviteSlot.querySelector<HTMLButtonElement>('.copy');
    (model.alone && model.isHost ? copy : this.ready)?.focus({ preventScroll: true });
  }

  private showChoices(model: LobbyModel): void {
    this.bots.checked = model.bots;
    this.bots.disabled = !model.isHost;
    setText(this.botsNote, model.isHost || model.hostName === '' ? '' : `${model.hostName} decides`);
    const startsAlone = model.alone && model.isHost;
    setHidden(this.ready, startsAlone);
    this.people.classList.toggle('alone', startsAlone);
    this.ready.setAttribute('aria-pressed', String(model.isReady));
    setHidden(this.start, !model.isHost);
    this.start.classList.toggle('primary', startsAlone);
    this.start.classList.toggle('secondary', !startsAlone);
  }
}

function newRow(): HTMLElement {
  return el(
    'li',
    { 'data-testid': 'lobby-person' },
    el('span', { class: 'crown' }, icon('crownFilled')),
    el('span', { class: 'who' }),
    el('span', { class: 'tag' }),
    el('span', { class: 'readiness' }, icon('check'), el('span')),
  );
}

function fillRow(row: Element, person: LobbyPerson): void {
  const [, who, tag, readiness] = row.children;
  row.classList.toggle('host', person.host);
  row.classList.toggle('own', person.own);
  row.classList.toggle('away', person.away);
  row.classList.toggle('is-ready', person.ready && !person.away);
  if (who) setText(who, person.name);
  if (tag) setText(tag, [person.own ? 'you' : '', person.host ? 'host' : ''].filter((word) => word !== '').join(', '));
  if (readiness?.lastElementChild) {
    setText(readiness.lastElementChild, person.away ? 'away' : person.ready ? 'ready' : 'not ready');
  }
}
