// Watches one match of whatever game, without a seat in it.
import {
  MatchSession,
  type ConnectionState,
  type GameBindings,
  type Replica,
  type RosterEntry,
  type SocketLike,
  type TableFields,
} from '@tickwire/client';
import { button, closeSentence, el, setText, type WatchView, type WatchViewOptions } from '@tickwire/ui';

export interface WatchOptions<Input, Event> {
  readonly game: GameBindings<TableFields, Input, Event>;
  /** Draws in a stage that is in the page. */
  readonly createView: (
    stage: HTMLElement,
    replica: Replica,
    options: WatchViewOptions,
  ) => Promise<WatchView<Input, Event>>;
  readonly replica: Replica;
  readonly openSocket: () => WebSocket;
  readonly title: string;
  readonly onClose: () => void;
}

export class Watch<Input, Event> {
  readonly element: HTMLElement;
  private readonly options: WatchOptions<Input, Event>;
  private readonly stage = el('div', { class: 'stage', 'data-testid': 'watch-stage' });
  private readonly state = el('span', { class: 'muted', role: 'status', 'data-testid': 'watch-state' }, 'Connecting…');
  private readonly timer = el('span', { class: 'watch-timer', 'data-testid': 'watch-timer' });
  private readonly camera = el('select', { 'aria-label': 'Camera', 'data-testid': 'watch-camera' });
  private readonly side = el('div', { class: 'watch-side card' });
  private view: WatchView<Input, Event> | null = null;
  private session: MatchSession<Input, Event> | null = null;
  /** A list of a thousand is not made anew for each who comes or goes, but with the other figures. */
  private rosterIsNew = false;
  private stopped = false;

  constructor(options: WatchOptions<Input, Event>) {
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
      el('div', { class: 'watch-main' }, this.stage, this.side),
    );
  }

  /** Call once the element is in the page: the renderer takes its size from there. */
  async start(): Promise<void> {
    const { game, replica } = this.options;
    const view = await this.options.createView(this.stage, replica, {
      onStatus: (status) => {
        this.showStatus(status);
      },
    });
    if (this.stopped) {
      view.dispose();
      return;
    }
    this.view = view;
    this.side.append(view.side);
    const session = new MatchSession<Input, Event>({
      game,
      replica,
      credential: { kind: 'none' },
      openSocket: () => this.options.openSocket() as SocketLike,
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
        game: (event, tick) => {
          view.happened(event, tick);
        },
      },
    });
    this.session = session;
    view.begin(session);
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
        setText(this.state, closeSentence(state.reason));
        break;
    }
  }

  private showStatus(status: string): void {
    if (this.session && this.rosterIsNew) this.fillCamera(this.session.roster);
    setText(this.timer, status);
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
    this.view?.follow(this.camera.value === 'map' ? null : Number(this.camera.value));
  }
}
