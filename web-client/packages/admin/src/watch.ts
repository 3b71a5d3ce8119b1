// Watches one match through the player's renderer, without a seat in it.
import { ArenaView, buildHud, parseArenaEvent, Scoreboard, SUBUNITS, TELEPORT_UNITS } from '@tickwire/arena';
import {
  closeKind,
  type ConnectionState,
  MatchSession,
  type Replica,
  type RosterEntry,
  type SocketLike,
} from '@tickwire/client';
import { button, el, setText } from '@tickwire/ui';

const SIDE_INTERVAL_MS = 200;

export interface WatchOptions {
  readonly replica: Replica;
  readonly openSocket: () => WebSocket;
  readonly title: string;
  readonly onClose: () => void;
}

export class Watch {
  readonly element: HTMLElement;
  private readonly options: WatchOptions;
  private readonly stage = el('div', { class: 'stage', 'data-testid': 'watch-stage' });
  private readonly state = el('span', { class: 'muted', role: 'status', 'data-testid': 'watch-state' }, 'Connecting…');
  private readonly timer = el('span', { class: 'watch-timer', 'data-testid': 'watch-timer' });
  private readonly camera = el('select', { 'aria-label': 'Camera', 'data-testid': 'watch-camera' });
  private readonly scores = new Scoreboard('Players in this match');
  private view: ArenaView | null = null;
  private session: MatchSession | null = null;
  private sideMs = 0;
  /** A list of a thousand is not made anew for each who comes or goes, but with the other figures. */
  private rosterIsNew = false;
  private stopped = false;

  constructor(options: WatchOptions) {
    this.options = options;
    this.camera.addEventListener('change', () => {
      this.applyCamera();
    });
    this.fillCamera(new Map());
    this.element = el(
      'section',
      { class: 'watch', 'aria-label': options.title, 'data-testid': 'watch' },
      el(
        'header',
        { class: 'watch-bar' },
        button('← All matches', { class: 'secondary small', 'data-testid': 'watch-close' }, options.onClose),
        el('h2', {}, options.title),
        this.timer,
        this.state,
        el('label', { class: 'camera' }, 'Camera ', this.camera),
      ),
      el('div', { class: 'watch-main' }, this.stage, el('div', { class: 'watch-side card' }, this.scores.element)),
    );
  }

  /** Call once the element is in the page: the renderer takes its size from there. */
  async start(): Promise<void> {
    const { replica } = this.options;
    const view = await ArenaView.create(this.stage, replica);
    if (this.stopped) {
      view.dispose();
      return;
    }
    this.view = view;
    const session = new MatchSession({
      replica,
      credential: { kind: 'none' },
      openSocket: () => this.options.openSocket() as SocketLike,
      body: view.tables.body,
      teleport: TELEPORT_UNITS * SUBUNITS,
      readInput: () => [],
      listener: {
        state: (state) => {
          this.showState(state);
        },
        welcome: () => {
          view.welcomed();
        },
        results: () => undefined,
        roster: () => {
          this.rosterIsNew = true;
        },
        game: (raw, tick) => {
          const event = parseArenaEvent(raw);
          if (event) view.queueEvent(event, tick);
        },
      },
    });
    this.session = session;
    view.onFrame = ({ nowMs }) => {
      this.updateSide(nowMs);
    };
    view.show(session);
    this.applyCamera();
    session.start();
  }

  stop(): void {
    this.stopped = true;
    this.session?.connection.close('left');
    this.view?.dispose();
    this.element.remove();
  }

  private showState(state: ConnectionState): void {
    switch (state.kind) {
      case 'connecting':
        setText(this.state, 'Connecting…');
        break;
      case 'live':
        setText(this.state, 'Connected');
        break;
      case 'waiting':
        setText(this.state, 'Connection lost. Reconnecting…');
        break;
      case 'closed':
        setText(this.state, closeKind(state.reason).sentence);
        break;
    }
  }

  private updateSide(nowMs: number): void {
    const { session, view } = this;
    if (!session?.latest || !view || nowMs - this.sideMs < SIDE_INTERVAL_MS) return;
    this.sideMs = nowMs;
    if (this.rosterIsNew) this.fillCamera(session.roster);
    const hud = buildHud({
      tables: view.tables,
      snapshot: session.latest,
      roster: session.roster,
      player: null,
      tickRate: session.tickRate,
      dashReadyIn: null,
    });
    this.scores.update(hud.lines);
    setText(this.timer, hud.timer === '' ? hud.phase : `${hud.phase} ${hud.timer}`);
  }

  private fillCamera(roster: ReadonlyMap<number, RosterEntry>): void {
    this.rosterIsNew = false;
    const chosen = this.camera.value;
    this.camera.replaceChildren(
      el('option', { value: 'map' }, 'Whole map'),
      ...[...roster.values()].map((entry) => el('option', { value: String(entry.player) }, `Follow ${entry.name}`)),
    );
    this.camera.value = chosen;
    // The followed player may have left.
    if (this.camera.selectedIndex < 0) this.camera.selectedIndex = 0;
    this.applyCamera();
  }

  private applyCamera(): void {
    const { view } = this;
    if (!view) return;
    view.camera = this.camera.value === 'map' ? 'map' : 'follow';
    view.followPlayer = this.camera.value === 'map' ? null : Number(this.camera.value);
  }
}
