// The first page: a name, Play, a match to share, and the open matches. Its markup is in `index.html`, so that it is there
// before any script; here it comes to life.
import type { GameInfo, MatchSummary } from '@tickwire/client';
import { button, el, setHidden, setText } from '@tickwire/ui';
import { DEFAULT_MODE } from './game';
import { MatchList } from './match-list';
import type { PlayRequest } from './seats';

export interface LandingOptions {
  /** What the page's HTML has. */
  readonly element: HTMLElement;
  readonly name: string;
  /** From a shared link. */
  readonly joinCode: string | null;
  readonly onPlay: (name: string, request: PlayRequest, mode: string) => void;
  /** The player is about to play. */
  readonly onIntent: () => void;
  readonly loadMatches: () => Promise<readonly MatchSummary[]>;
  readonly onSignIn: () => void;
}

/** Who may play, and who is signed in. */
export interface Visitor {
  /** Null while nobody is signed in. */
  readonly account: string | null;
  readonly guests: boolean;
  /** There is a place to sign in at. */
  readonly canSignIn: boolean;
}

/** Of a player who gave no name. */
export const DEFAULT_NAME = 'Guest';

export class Landing {
  private readonly options: LandingOptions;
  private readonly element: HTMLElement;
  private readonly nameInput: HTMLInputElement;
  private readonly mode: HTMLSelectElement;
  private readonly modeField: HTMLElement;
  private readonly error: HTMLElement;
  private readonly actions: HTMLButtonElement[];
  private readonly matches: MatchList;
  private readonly form: HTMLFormElement;
  /** What the page was opened with; a match that was left is no invitation any more. */
  private joinCode: string | null;
  private isBusy = false;
  private modes = 0;
  private mustSignIn = false;
  private readonly signIn: HTMLButtonElement;

  constructor(options: LandingOptions) {
    this.options = options;
    const { element } = options;
    this.element = element;
    this.joinCode = options.joinCode;
    this.form = part(element, '#play-form', HTMLFormElement);
    this.nameInput = part(element, '#name', HTMLInputElement);
    this.mode = part(element, '#mode', HTMLSelectElement);
    this.modeField = part(element, '#mode-field', HTMLElement);
    this.error = part(element, '#play-error', HTMLElement);
    this.actions = [...element.querySelectorAll<HTMLButtonElement>('button')];
    this.matches = new MatchList({
      list: part(element, '#match-list', HTMLElement),
      note: part(element, '#match-list-note', HTMLElement),
      load: options.loadMatches,
      onJoin: (id) => {
        this.play({ kind: 'join', idOrCode: id });
      },
    });
    this.signIn = button('Sign in', { class: 'link', 'data-testid': 'sign-in' }, options.onSignIn);
    // What was typed before the script came stays.
    if (this.nameInput.value === '') this.nameInput.value = options.name;
    if (this.joinCode !== null) this.invite(this.joinCode);
    this.listen();
  }

  show(): void {
    setHidden(this.element, false);
    this.matches.start();
  }

  hide(): void {
    setHidden(this.element, true);
    this.matches.stop();
  }

  set info(info: GameInfo) {
    const chosen = this.mode.value;
    this.mode.replaceChildren(...info.modes.map((mode) => el('option', { value: mode.id }, mode.title)));
    if (info.modes.some((mode) => mode.id === chosen)) this.mode.value = chosen;
    this.modes = info.modes.length;
    setHidden(this.modeField, this.modes < 2 || this.joinCode !== null);
    this.matches.info = info;
  }

  /** While a request is under way nothing can be pressed twice. */
  set busy(busy: boolean) {
    this.isBusy = busy;
    for (const action of this.actions) action.disabled = busy;
    this.matches.busy = busy;
    this.element.classList.toggle('busy', busy);
  }

  set visitor({ account, guests, canSignIn }: Visitor) {
    const isKnown = account !== null;
    this.mustSignIn = !guests && !isKnown;
    if (isKnown) this.nameInput.value = account;
    this.nameInput.readOnly = isKnown;
    const field = part(this.element, '#name-field', HTMLElement);
    setText(part(field, 'label', HTMLElement), isKnown ? 'Signed in as' : 'Your name');
    setHidden(field, this.mustSignIn);
    this.nameActions();
    const offers = canSignIn && guests && !isKnown;
    if (offers && !this.signIn.isConnected) this.error.before(this.signIn);
    if (!offers) this.signIn.remove();
  }

  private nameActions(): void {
    const invited = this.joinCode === null ? 'Play' : 'Join match';
    setText(part(this.element, '#play', HTMLElement), this.mustSignIn ? 'Sign in to play' : invited);
  }

  showError(sentence: string): void {
    setText(this.error, sentence);
  }

  /** Presses what was pressed before the script came. */
  pressEarlier(): void {
    const box = part(this.element, '#play-box', HTMLDialogElement);
    const pressed = box.open ? '' : box.returnValue;
    // The browser closes the box for a press, if no script keeps it from it.
    box.open = true;
    const button = this.actions.find((action) => action.value === pressed);
    if (pressed !== '' && button && !this.isBusy) this.submit(pressed);
  }

  /** The link that the page was opened with is used up. */
  forgetInvitation(): void {
    if (this.joinCode === null) return;
    this.joinCode = null;
    setHidden(part(this.element, '#lead', HTMLElement), false);
    setHidden(part(this.element, '#invitation', HTMLElement), true);
    this.nameActions();
    this.element.querySelector('[data-testid="quick-instead"]')?.remove();
    setHidden(this.modeField, this.modes < 2);
  }

  private listen(): void {
    const { onIntent } = this.options;
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit(event.submitter instanceof HTMLButtonElement ? event.submitter.value : 'play');
    });
    this.nameInput.addEventListener('focus', onIntent, { once: true });
    for (const action of this.actions) action.addEventListener('pointerenter', onIntent, { once: true });
  }

  private submit(what: string): void {
    if (what === 'create')
      this.play({ kind: 'create', isPrivate: part(this.element, '#private', HTMLInputElement).checked });
    else if (what === 'quick' || this.joinCode === null) this.play({ kind: 'quick' });
    else this.play({ kind: 'join', idOrCode: this.joinCode });
  }

  /** Whoever was invited came for this match: its mode is chosen. */
  private invite(code: string): void {
    setHidden(part(this.element, '#lead', HTMLElement), true);
    const invitation = part(this.element, '#invitation', HTMLElement);
    invitation.replaceChildren('You are invited to match ', el('b', { class: 'code' }, code), '.');
    setHidden(invitation, false);
    setText(part(this.element, '#play', HTMLElement), 'Join match');
    setHidden(this.modeField, true);
    const quick = button('Play a quick match instead', { class: 'link', 'data-testid': 'quick-instead' }, () => {
      this.submit('quick');
    });
    this.actions.push(quick);
    this.error.before(quick);
  }

  private play(request: PlayRequest): void {
    this.showError('');
    if (this.mustSignIn) {
      this.options.onSignIn();
      return;
    }
    const name = this.nameInput.value.trim() || DEFAULT_NAME;
    this.options.onPlay(name, request, this.mode.value || DEFAULT_MODE);
  }
}

/** A part of the page's HTML. Throws if it is missing: then HTML and script are of different builds. */
function part<T extends HTMLElement>(root: HTMLElement, selector: string, kind: new () => T): T {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}
