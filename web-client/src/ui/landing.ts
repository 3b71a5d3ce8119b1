// The first page: a name, Play, a match to share, and the open matches.
import type { GameInfo, MatchSummary } from '../net/api';
import { button, el, setHidden, setText } from './dom';
import { matchLine } from './match-line';

export type PlayRequest =
  | { readonly kind: 'quick' }
  | { readonly kind: 'create'; readonly isPrivate: boolean }
  | { readonly kind: 'join'; readonly idOrCode: string };

export interface LandingOptions {
  readonly name: string;
  /** From a shared link. */
  readonly joinCode: string | null;
  readonly onPlay: (name: string, request: PlayRequest, mode: string) => void;
  readonly loadMatches: () => Promise<readonly MatchSummary[]>;
}

const REFRESH_MS = 4_000;
/** UTF-16 units; the server counts the 16 characters. */
const NAME_UNITS_MAX = 32;
const DEFAULT_NAME = 'Guest';
const DEFAULT_MODE = 'ffa';

export class Landing {
  readonly element: HTMLElement;
  private readonly options: LandingOptions;
  private readonly nameInput = el('input', {
    id: 'name',
    name: 'name',
    type: 'text',
    maxlength: String(NAME_UNITS_MAX),
    autocomplete: 'nickname',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: DEFAULT_NAME,
    enterkeyhint: 'go',
    'data-testid': 'name',
  });
  private readonly error = el('p', { class: 'form-error', role: 'alert', 'data-testid': 'error' });
  private readonly mode = el('select', { id: 'mode', name: 'mode', 'data-testid': 'mode' });
  private readonly modeField = el(
    'div',
    { class: 'field', hidden: true },
    el('label', { for: 'mode' }, 'Mode'),
    this.mode,
  );
  private readonly listPrivate = el('input', { type: 'checkbox', id: 'private', checked: true });
  private readonly list = el('ul', { class: 'match-list', 'data-testid': 'match-list' });
  private readonly listNote = el(
    'p',
    { class: 'muted list-note', 'data-testid': 'match-list-note' },
    'Looking for matches…',
  );
  private readonly actions: HTMLButtonElement[] = [];
  private modes: GameInfo['modes'] = [];
  private matches: readonly MatchSummary[] | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: LandingOptions) {
    this.options = options;
    this.nameInput.value = options.name;
    this.element = el('main', { class: 'landing', 'data-testid': 'landing' }, this.hero(), this.side());
  }

  show(): void {
    setHidden(this.element, false);
    void this.refresh();
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (!document.hidden) void this.refresh();
    }, REFRESH_MS);
  }

  hide(): void {
    setHidden(this.element, true);
    clearInterval(this.timer);
  }

  set info(info: GameInfo) {
    this.modes = info.modes;
    this.mode.replaceChildren(...info.modes.map((mode) => el('option', { value: mode.id }, mode.title)));
    setHidden(this.modeField, info.modes.length < 2);
    this.showMatches(this.matches);
  }

  /** While a request is under way nothing can be pressed twice. */
  set busy(busy: boolean) {
    for (const action of this.actions) action.disabled = busy;
    for (const action of this.list.querySelectorAll('button')) action.disabled = busy;
    this.element.classList.toggle('busy', busy);
  }

  showError(sentence: string): void {
    setText(this.error, sentence);
  }

  private hero(): HTMLElement {
    const { joinCode } = this.options;
    const play = el(
      'button',
      { type: 'submit', class: 'primary play', 'data-testid': 'play' },
      joinCode ? 'Join match' : 'Play',
    );
    this.actions.push(play);
    const form = el(
      'form',
      { class: 'play-form' },
      el('div', { class: 'field' }, el('label', { for: 'name' }, 'Your name'), this.nameInput),
      this.modeField,
      play,
      this.error,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.play(joinCode ? { kind: 'join', idOrCode: joinCode } : { kind: 'quick' });
    });
    const intro = joinCode
      ? el('p', { class: 'lead' }, 'You are invited to match ', el('b', { class: 'code' }, joinCode), '.')
      : el('p', { class: 'lead' }, 'Dash, aim, outlast everyone. One click and you are in a match.');
    const hero = el(
      'section',
      { class: 'hero', 'aria-labelledby': 'title' },
      el('h1', { id: 'title' }, 'Tickwire ', el('span', { class: 'accent' }, 'Arena')),
      intro,
      form,
      controlsHelp(),
    );
    if (joinCode) {
      const quick = button('Play a quick match instead', { class: 'link', 'data-testid': 'quick-instead' }, () => {
        this.play({ kind: 'quick' });
      });
      this.actions.push(quick);
      form.append(quick);
    }
    return hero;
  }

  private side(): HTMLElement {
    const create = button('Create match', { class: 'secondary', 'data-testid': 'create' }, () => {
      this.play({ kind: 'create', isPrivate: this.listPrivate.checked });
    });
    this.actions.push(create);
    return el(
      'div',
      { class: 'side' },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'friends-title' },
        el('h2', { id: 'friends-title' }, 'Play with friends'),
        el('p', { class: 'muted' }, 'Create a match and send them its link.'),
        el(
          'div',
          { class: 'create-row' },
          create,
          el('label', { class: 'check', for: 'private' }, this.listPrivate, 'Only by link'),
        ),
      ),
      el(
        'section',
        { class: 'card matches', 'aria-labelledby': 'open-title' },
        el('h2', { id: 'open-title' }, 'Open matches'),
        this.list,
        this.listNote,
      ),
    );
  }

  private play(request: PlayRequest): void {
    this.showError('');
    const name = this.nameInput.value.trim() || DEFAULT_NAME;
    this.options.onPlay(name, request, this.mode.value || DEFAULT_MODE);
  }

  private async refresh(): Promise<void> {
    try {
      this.showMatches(await this.options.loadMatches());
    } catch {
      this.matches = null;
      this.list.replaceChildren();
      setText(this.listNote, 'The list cannot be loaded right now.');
    }
  }

  /** Keeps rows of matches that stay, so that focus on their button stays too. */
  private showMatches(matches: readonly MatchSummary[] | null): void {
    this.matches = matches;
    if (!matches) return;
    const rows = new Map([...this.list.children].map((row) => [row.getAttribute('data-match') ?? '', row]));
    const kept = matches.map((match) => {
      const row = rows.get(match.id) ?? this.matchRow(match);
      const text = row.querySelector('.match-text');
      if (text) setText(text, matchLine(match, this.modes));
      return row;
    });
    const unchanged =
      kept.length === this.list.children.length && kept.every((row, i) => row === this.list.children[i]);
    if (!unchanged) this.list.replaceChildren(...kept);
    setText(this.listNote, matches.length === 0 ? 'None right now. Press Play and one starts.' : '');
  }

  private matchRow(match: MatchSummary): HTMLElement {
    const join = button('Join', { class: 'secondary small' }, () => {
      this.play({ kind: 'join', idOrCode: match.id });
    });
    return el('li', { 'data-match': match.id, 'data-testid': 'match-row' }, el('span', { class: 'match-text' }), join);
  }
}

/** How to play, for mouse and keyboard and for touch; CSS shows the one that fits. */
export function controlsHelp(): HTMLElement {
  const item = (keys: readonly string[], what: string): HTMLElement =>
    el('li', {}, ...keys.map((key) => el('kbd', {}, key)), ` ${what}`);
  return el(
    'div',
    { class: 'help' },
    el(
      'ul',
      { class: 'help-keys', 'aria-label': 'Controls' },
      item(['W', 'A', 'S', 'D'], 'move'),
      item(['Mouse'], 'aim and fire'),
      item(['Space'], 'dash'),
      item(['Tab'], 'scores'),
      item(['Esc'], 'menu'),
    ),
    el('p', { class: 'help-touch muted' }, 'Left thumb moves, right thumb aims and fires, the button dashes.'),
  );
}
