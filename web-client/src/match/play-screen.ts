// One player's screen during a match: stage, HUD, controls, lobby, menu and results around one session.
import {
  type ConnectionState,
  type Credential,
  InputRecorder,
  MatchSession,
  type Replica,
  type RouteLike,
  type SocketLike,
  type Welcome,
} from '@tickwire/client';
import { Announcer, type Dialog, el, setHidden } from '@tickwire/ui';
import { inviteDialog } from './invite';
import { LobbyScreen } from './lobby';
import { buildLobby } from './lobby-model';
import { ZoomLock } from './zoom';
import {
  announcement,
  ArenaView,
  type Box,
  buildHud,
  deathNote,
  feedLine,
  type Frame,
  Hud,
  type HudModel,
  InputCapture,
  inputNumbers,
  killNote,
  Minimap,
  parseArenaEvent,
  Presence,
  ResultsFlow,
  Sticks,
  SUBUNITS,
  TELEPORT_UNITS,
} from '@tickwire/arena';
import { menuDialog } from './menu';

export interface PlayScreenOptions {
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

const HUD_INTERVAL_MS = 50;

export class PlayScreen {
  readonly element: HTMLElement;
  session: MatchSession | null = null;
  model: HudModel | null = null;
  private readonly options: PlayScreenOptions;
  private readonly replica: Replica;
  private readonly view: ArenaView;
  private readonly hud: Hud;
  private readonly minimap: Minimap;
  private readonly sticks = new Sticks();
  private readonly capture: InputCapture;
  private readonly presence: Presence;
  private readonly lobby: LobbyScreen;
  private readonly announcer = new Announcer();
  private readonly zoom = new ZoomLock();
  private readonly results: ResultsFlow;
  /** The menu, or the link for friends. */
  private dialog: Dialog | null = null;
  private code = '';
  private isActive = false;
  /** Only with `?record` in the address. */
  private readonly recorder: InputRecorder | null;
  private hudMs = 0;

  private constructor(replica: Replica, view: ArenaView, hud: Hud, element: HTMLElement, options: PlayScreenOptions) {
    this.replica = replica;
    this.view = view;
    this.hud = hud;
    this.element = element;
    this.options = options;
    this.minimap = new Minimap(view.map);
    this.recorder = new URLSearchParams(window.location.search).has('record') ? new InputRecorder() : null;
    this.capture = this.listen();
    this.presence = new Presence(this.capture);
    this.results = new ResultsFlow(options);
    this.lobby = new LobbyScreen({
      onReady: (ready) => this.session?.ready(ready),
      onStart: () => this.session?.startMatch(),
      onBots: (bots) => this.session?.bots(bots),
      onLeave: options.onLeave,
    });
    element.append(this.minimap.element, hud.element, this.sticks.element, this.announcer.element, this.lobby.element);
    if (window.matchMedia('(pointer: coarse)').matches) this.showTouchControls();
    window.addEventListener('resize', () => {
      this.placeSticks();
    });
    this.followView();
  }

  /** Builds the screen inside `parent`, hidden. */
  static async create(parent: HTMLElement, replica: Replica, options: PlayScreenOptions): Promise<PlayScreen> {
    const stage = el('div', { class: 'stage', 'data-testid': 'stage' });
    const element = el('div', { class: 'game', 'data-testid': 'game', hidden: true }, stage);
    parent.append(element);
    const view = await ArenaView.create(stage, replica);
    return new PlayScreen(replica, view, new Hud(), element, options);
  }

  get scene(): ArenaView['lastScene'] {
    return this.view.lastScene;
  }

  /** How messages go, if not the usual way. */
  showPath(sentence: string): void {
    this.hud.showPath(sentence);
  }

  /** Takes a seat, or returns to one. */
  begin(start: MatchStart): void {
    this.end();
    this.code = start.code;
    this.results.begin(start.credential.kind === 'ticket');
    setHidden(this.hud.inviteButton, start.code === '');
    const session = new MatchSession({
      replica: this.replica,
      credential: start.credential,
      openSocket: start.openSocket,
      route: start.route,
      body: this.view.tables.body,
      teleport: TELEPORT_UNITS * SUBUNITS,
      readInput: () => inputNumbers(this.capture.read()),
      onStep: (tick, row) => {
        this.view.stepped(tick, row);
      },
      onInput: (message) => {
        this.recorder?.add(message);
      },
      listener: {
        state: this.options.onState,
        welcome: (welcome) => {
          this.welcomed(welcome);
        },
        roster: () => {
          this.rosterChanged();
        },
        lobby: () => {
          this.followLobby();
        },
        results: (results) => {
          this.closeDialog();
          this.results.show(results, session, this.model);
          this.active = this.isActive;
        },
        game: (raw, tick) => {
          const event = parseArenaEvent(raw);
          if (event) this.view.queueEvent(event, tick);
        },
      },
    });
    this.session = session;
    this.view.show(session);
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
    this.model = null;
    this.view.show(null);
    this.closeDialog();
    this.results.close();
    this.presence.isIdle = false;
    this.hud.showIdle('');
    this.lobby.hide();
    this.active = false;
    this.zoom.release();
    setHidden(this.element, true);
  }

  /** While the connection is away, keys do nothing. */
  set active(active: boolean) {
    this.isActive = active;
    const busy = this.dialog !== null || this.results.isOpen || this.lobby.isOpen;
    this.capture.enabled = active && !busy;
  }

  /** The match ended for good. True if the results are on screen and stay. */
  matchOver(): boolean {
    return this.results.over();
  }

  private get isTouch(): boolean {
    return this.element.classList.contains('touch');
  }

  get resultsShown(): boolean {
    return this.results.isOpen;
  }

  private listen(): InputCapture {
    const { hud, view } = this;
    hud.menuButton.addEventListener('click', () => {
      this.openMenu();
    });
    hud.inviteButton.addEventListener('click', () => {
      this.openInvite();
    });
    hud.scoresButton.addEventListener('click', () => {
      hud.toggleScores();
      hud.scoresButton.blur();
    });
    return new InputCapture({
      stage: view.stage,
      buttons: hud.buttons,
      ownPlace: () => view.ownPlace(),
      taken: () => this.taken(),
      onTouch: () => {
        this.showTouchControls();
      },
      onScores: (shown) => {
        hud.showScores(shown);
      },
      onMenu: () => {
        this.openMenu();
      },
    });
  }

  private followView(): void {
    const { view, hud } = this;
    view.onFrame = (frame) => {
      this.frame(frame);
    };
    view.onMap = (map) => {
      this.minimap.show(map);
    };
    view.onEvent = (event) => {
      if (!this.session) return;
      const { roster, player } = this.session;
      const line = feedLine(event, roster, player);
      if (line) hud.addFeed(line);
      const death = deathNote(event, roster, player);
      if (death) hud.kills.showDeath(death);
      const kill = killNote(event, roster, player);
      if (kill) hud.kills.addKill(kill);
    };
  }

  private welcomed(welcome: Welcome): void {
    this.view.welcomed();
    this.model = null;
    this.results.welcomed();
    this.zoom.lock();
    setHidden(this.element, false);
    // A focused Play button would swallow the space bar.
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && !focused.closest('dialog, .lobby')) focused.blur();
    // The size of the stage was unknown while it was hidden.
    window.dispatchEvent(new Event('resize'));
    this.recorder?.restart();
    this.options.onWelcome(welcome);
    // If the match waits in a lobby, that is told next.
    this.followLobby();
    this.active = true;
  }

  private rosterChanged(): void {
    const { session } = this;
    if (!session) return;
    this.results.remember(session);
    if (this.lobby.isOpen) this.followLobby();
  }

  private frame({ scene, nowMs }: Frame): void {
    this.minimap.draw(scene, nowMs);
    this.sticks.update(this.capture.sticks);
    if (nowMs - this.hudMs < HUD_INTERVAL_MS) return;
    this.hudMs = nowMs;
    const { session } = this;
    const snapshot = session?.latest;
    if (!session || !snapshot) return;
    const before = this.model;
    this.model = buildHud({
      tables: this.view.tables,
      snapshot,
      roster: session.roster,
      player: session.player,
      tickRate: session.tickRate,
      dashReadyIn: scene.own?.dashReadyIn ?? null,
      protectedFor: scene.own?.protectedFor ?? null,
    });
    if (this.lobby.isOpen && this.model.phase !== 'waiting') this.followLobby();
    this.hud.update(this.model, session.pingMs, session.quality);
    if (!this.lobby.isOpen) this.announcer.say(announcement(before, this.model));
    this.followPresence(session, this.model);
    if (this.results.follow(session, this.model, snapshot.tick)) this.active = this.isActive;
  }

  /** Opens while the match waits in a lobby, follows what happens there, and goes away when it begins. */
  private followLobby(): void {
    const { session } = this;
    const lobby = session?.lobby ?? null;
    const waits = lobby !== null && (this.model === null || this.model.phase === 'waiting');
    if (session && waits) this.lobby.show(buildLobby(lobby, session.roster, session.player), this.code);
    else this.lobby.hide();
    for (const part of [this.hud.element, this.minimap.element, this.sticks.element]) setHidden(part, waits);
    // Refreshed, because the keys belong to whatever is on top.
    this.active = this.isActive;
    this.placeSticks();
  }

  private followPresence(session: MatchSession, { phase }: HudModel): void {
    const idle =
      session.roster.get(session.player ?? -1)?.presence === 'idle' && (phase === 'countdown' || phase === 'live');
    if (idle === this.presence.isIdle) return;
    this.presence.isIdle = idle;
    const way = this.isTouch ? 'Touch the screen' : 'Press any key';
    const note = idle ? `You were away: a bot plays for you. ${way} to play on.` : '';
    this.hud.showIdle(note);
    this.announcer.say(note);
  }

  private openMenu(): void {
    this.openDialog((onClose) =>
      menuDialog({ code: this.code, recorder: this.recorder, onClose, onLeave: this.options.onLeave }),
    );
  }

  private openInvite(): void {
    this.openDialog((onClose) => inviteDialog(this.code, onClose));
  }

  private openDialog(make: (onClose: () => void) => Dialog): void {
    if (this.dialog || this.results.isOpen || this.lobby.isOpen || !this.session) return;
    this.dialog = make(() => {
      this.closeDialog();
      this.active = this.isActive;
    });
    this.dialog.open();
    this.dialog.element.querySelector<HTMLElement>('.primary')?.focus();
    this.active = this.isActive;
  }

  private closeDialog(): void {
    this.dialog?.close();
    this.dialog = null;
  }

  private showTouchControls(): void {
    this.element.classList.add('touch');
    this.placeSticks();
  }

  private placeSticks(): void {
    if (!this.isTouch) return;
    this.sticks.rest({ x: window.innerWidth, y: window.innerHeight }, this.taken());
  }

  /** What the sticks must leave free. */
  private taken(): readonly Box[] {
    const { buttons, bottom } = this.hud;
    return [...buttons.values(), bottom, this.minimap.element]
      .map((element) => element.getBoundingClientRect())
      .filter((box) => box.width > 0);
  }
}
