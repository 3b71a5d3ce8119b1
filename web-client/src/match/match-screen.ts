// One player's screen during a match, of whatever game: its view, and the lobby, the menu and the link for friends around
// one session.
import {
  InputRecorder,
  MatchSession,
  type ConnectionState,
  type Credential,
  type Replica,
  type RouteLike,
  type SocketLike,
  type Welcome,
} from '@tickwire/client';
import { Announcer, el, setHidden, type Dialog, type Game, type GameView } from '@tickwire/ui';
import { inviteDialog } from './invite';
import { LobbyScreen } from './lobby';
import { buildLobby } from './lobby-model';
import { menuDialog } from './menu';
import { ZoomLock } from './zoom';

export interface MatchScreenOptions {
  readonly onState: (state: ConnectionState) => void;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
}

export interface MatchStart {
  readonly credential: Credential;
  readonly openSocket: () => SocketLike;
  readonly route: RouteLike;
  /** Leads others into the match; empty where nothing does. */
  readonly code: string;
}

export class MatchScreen<Input, Event, View extends GameView<Input, Event>> {
  readonly view: View;
  session: MatchSession<Input, Event> | null = null;
  private readonly element: HTMLElement;
  private readonly game: Game<Input, Event, View>;
  private readonly options: MatchScreenOptions;
  private readonly replica: Replica;
  private readonly lobby: LobbyScreen;
  private readonly zoom = new ZoomLock();
  /** The menu, or the link for friends. */
  private dialog: Dialog | null = null;
  private code = '';
  private isActive = false;
  /** Only with `?record` in the address. */
  private readonly recorder: InputRecorder | null;

  private constructor(
    game: Game<Input, Event, View>,
    element: HTMLElement,
    replica: Replica,
    view: View,
    announcer: Announcer,
    options: MatchScreenOptions,
  ) {
    this.game = game;
    this.element = element;
    this.replica = replica;
    this.view = view;
    this.options = options;
    this.recorder = new URLSearchParams(window.location.search).has('record')
      ? new InputRecorder(game.bindings.name)
      : null;
    this.lobby = new LobbyScreen({
      onReady: (ready) => this.session?.ready(ready),
      onStart: () => this.session?.startMatch(),
      onBots: (bots) => this.session?.bots(bots),
      onLeave: options.onLeave,
    });
    element.append(announcer.element, this.lobby.element);
  }

  /** Builds the screen inside `parent`, hidden. */
  static async create<Input, Event, View extends GameView<Input, Event>>(
    game: Game<Input, Event, View>,
    parent: HTMLElement,
    replica: Replica,
    options: MatchScreenOptions,
  ): Promise<MatchScreen<Input, Event, View>> {
    const element = el('div', { class: 'game', 'data-testid': 'game', hidden: true });
    parent.append(element);
    const announcer = new Announcer();
    // The view has nothing to tell before there is a match, and with it a screen.
    let screen: MatchScreen<Input, Event, View> | null = null;
    const view = await game.createView(element, replica, {
      onMenu: () => screen?.openMenu(),
      onInvite: () => screen?.openInvite(),
      onPlayAgain: options.onPlayAgain,
      onLeave: options.onLeave,
      onChange: () => screen?.viewChanged(),
      say: (sentence) => {
        announcer.say(sentence);
      },
    });
    screen = new MatchScreen(game, element, replica, view, announcer, options);
    return screen;
  }

  /** Takes a seat, or returns to one. */
  begin(start: MatchStart): void {
    this.end();
    const { view, options } = this;
    this.code = start.code;
    const session = new MatchSession<Input, Event>({
      game: this.game.bindings,
      replica: this.replica,
      credential: start.credential,
      openSocket: start.openSocket,
      route: start.route,
      teleport: view.teleport,
      readInput: () => view.readInput(),
      onStep: (tick, row) => {
        view.stepped(tick, row);
      },
      onInput: (message) => {
        this.recorder?.add(message);
      },
      listener: {
        state: options.onState,
        welcome: (welcome) => {
          this.welcomed(welcome);
        },
        roster: () => {
          view.rosterChanged();
          if (this.lobby.isOpen) this.followLobby();
        },
        lobby: () => {
          this.followLobby();
        },
        results: (results) => {
          this.closeDialog();
          view.showResults(results);
          this.assignKeys();
        },
        game: (event, tick) => {
          view.happened(event, tick);
        },
      },
    });
    this.session = session;
    view.begin(session, start.credential.kind === 'ticket', start.code !== '');
    session.start();
  }

  /** Leaves whatever match there is, quietly. */
  end(): void {
    this.session?.leave();
    this.detach();
  }

  /** Drops the session without giving its seat up: it is closed already. */
  detach(): void {
    this.session = null;
    this.view.end();
    this.closeDialog();
    this.lobby.hide();
    this.active = false;
    this.zoom.release();
    setHidden(this.element, true);
  }

  /** While the connection is away, keys do nothing. */
  set active(active: boolean) {
    this.isActive = active;
    this.assignKeys();
  }

  /** The keys belong to whatever is on top: call it when that has changed. */
  private assignKeys(): void {
    const busy = this.dialog !== null || this.view.isBusy || this.lobby.isOpen;
    this.view.enabled = this.isActive && !busy;
  }

  private welcomed(welcome: Welcome): void {
    this.view.welcomed();
    this.zoom.lock();
    setHidden(this.element, false);
    // A focused Play button would swallow the space bar.
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && !focused.closest('dialog, .lobby')) focused.blur();
    // The size of the view was unknown while it was hidden.
    window.dispatchEvent(new Event('resize'));
    this.recorder?.restart();
    this.options.onWelcome(welcome);
    // If the match waits in a lobby, that is told next.
    this.followLobby();
    this.active = true;
  }

  private viewChanged(): void {
    if (this.lobby.isOpen && this.view.phase !== 'waiting') this.followLobby();
    this.assignKeys();
  }

  /** Opens while the match waits in a lobby, follows what happens there, and goes away when it begins. */
  private followLobby(): void {
    const { session, view } = this;
    const lobby = session?.lobby ?? null;
    const waits = lobby !== null && (view.phase === null || view.phase === 'waiting');
    if (session && waits) this.lobby.show(buildLobby(lobby, session.roster, session.player), this.code);
    else this.lobby.hide();
    view.covered = waits;
    this.assignKeys();
  }

  private openMenu(): void {
    this.openDialog((onClose) =>
      menuDialog({
        code: this.code,
        recorder: this.recorder,
        onClose,
        onLeave: this.options.onLeave,
      }),
    );
  }

  private openInvite(): void {
    this.openDialog((onClose) => inviteDialog(this.code, onClose));
  }

  private openDialog(make: (onClose: () => void) => Dialog): void {
    if (this.dialog || this.view.isBusy || this.lobby.isOpen || !this.session) return;
    this.dialog = make(() => {
      this.closeDialog();
      this.assignKeys();
    });
    this.dialog.open();
    this.dialog.element.querySelector<HTMLElement>('.primary')?.focus();
    this.assignKeys();
  }

  private closeDialog(): void {
    this.dialog?.close();
    this.dialog = null;
  }
}
