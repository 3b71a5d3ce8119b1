// The player's page as a whole: landing, seat, match, and every way back into one after a loss.
//
// Invariant: the stored seat is the newest resume credential while there is a seat to return to, and absent otherwise.
import { PlayScreen } from '../arena/play-screen';
import { Api, ApiError, serverBase, type Join } from '../net/api';
import { Backoff } from '../net/backoff';
import { closeKind } from '../net/close';
import type { ConnectionState, Credential, SocketLike } from '../net/connection';
import type { Welcome } from '../net/control';
import type { Replica } from '../net/wasm';
import { Landing, type PlayRequest } from './landing';
import { Seats, socketUrl } from './seats';
import { StatusScreen } from './status-screen';
import { PageStorage } from './storage';
import { Toast } from './toast';

export type PagePhase = 'landing' | 'connecting' | 'playing' | 'lost' | 'recovering' | 'ended' | 'error';

const QUICK: PlayRequest = { kind: 'quick' };
const DEFAULT_MODE = 'ffa';
const RESTARTED = 'The server restarted; your match is gone. Finding you a new one…';

export class App {
  phase: PagePhase = 'landing';
  screen: PlayScreen | null = null;
  private readonly root: HTMLElement;
  private readonly loadModule: () => Promise<Replica>;
  private readonly api = new Api();
  private readonly storage = new PageStorage();
  private readonly seats = new Seats(this.api, this.storage);
  private readonly status = new StatusScreen();
  private readonly toast = new Toast();
  private readonly landing: Landing;
  private screenLoading: Promise<PlayScreen> | null = null;
  private code = '';
  private wsUrl = 'ws';
  private mode = DEFAULT_MODE;
  /** Counts attempts to get a seat: an answer to an abandoned one is ignored. */
  private attempt = 0;
  /** Cuts the wait between two recovery tries short. */
  private skipWait: (() => void) | null = null;

  constructor(root: HTMLElement, loadModule: () => Promise<Replica>) {
    this.root = root;
    this.loadModule = loadModule;
    this.landing = new Landing({
      name: this.storage.name,
      joinCode: new URLSearchParams(window.location.search).get('join'),
      onPlay: (name, request, mode) => void this.play(name, request, mode),
      loadMatches: () => this.api.matches(),
    });
    root.replaceChildren(this.landing.element, this.toast.element);
    window.addEventListener('online', () => {
      this.screen?.session?.connection.retryNow();
      this.skipWait?.();
    });
  }

  start(): void {
    const { seat } = this.storage;
    if (seat) {
      this.landing.hide();
      void this.returnTo({ kind: 'resume', matchId: seat.matchId, token: seat.token }, seat.code, seat.wsUrl);
    } else {
      this.showLanding();
    }
    void this.api
      .info()
      .then((info) => {
        this.landing.info = info;
      })
      .catch(() => undefined);
    // By the time the player has typed a name, the module and the renderer are there.
    this.loadScreen().catch(() => undefined);
  }

  private showLanding(error = ''): void {
    this.phase = 'landing';
    this.attempt += 1;
    this.status.hide();
    this.landing.busy = false;
    this.landing.show();
    this.landing.showError(error);
  }

  private async play(name: string, request: PlayRequest, mode: string): Promise<void> {
    this.storage.name = name;
    this.mode = mode;
    const attempt = this.beginAttempt('connecting');
    this.landing.busy = true;
    try {
      const [grant] = await Promise.all([this.seats.take(name, request, mode), this.loadScreen()]);
      if (attempt === this.attempt) this.enter(grant.join, request.kind === 'create');
    } catch (error) {
      if (attempt === this.attempt) this.showLanding(sentenceOf(error));
    }
  }

  /** Resumes a seat that another page load had. */
  private async returnTo(credential: Credential, code: string, wsUrl: string): Promise<void> {
    const attempt = this.beginAttempt('connecting');
    this.showConnecting('Returning to your seat…');
    try {
      await this.loadScreen();
      if (attempt === this.attempt) this.connect(credential, code, wsUrl, false);
    } catch (error) {
      if (attempt === this.attempt) this.showLanding(sentenceOf(error));
    }
  }

  private enter(join: Join, created: boolean): void {
    this.connect({ kind: 'ticket', ticket: join.ticket }, join.code, join.ws_url, created);
  }

  private connect(credential: Credential, code: string, wsUrl: string, created: boolean): void {
    this.code = code;
    this.wsUrl = wsUrl;
    const url = socketUrl(wsUrl, serverBase());
    this.screen?.begin({
      credential,
      code,
      created,
      openSocket: () => new WebSocket(url) as SocketLike,
    });
  }

  private connectionChanged(state: ConnectionState): void {
    switch (state.kind) {
      case 'connecting':
        if (this.phase === 'connecting') this.showConnecting('Connecting…');
        else if (this.phase === 'lost') this.showLost('Reconnecting…');
        break;
      case 'waiting':
        // What waits is the seat, so the first words are the same whether it was ever seen or not.
        this.phase = 'lost';
        this.showLost('Reconnecting', state.retryAtMs);
        break;
      case 'live':
        break;
      case 'closed':
        this.closed(state.reason);
        break;
    }
  }

  private welcomed(welcome: Welcome): void {
    this.phase = 'playing';
    this.status.hide();
    this.landing.hide();
    this.storage.seat = { matchId: welcome.matchId, token: welcome.resume, code: this.code, wsUrl: this.wsUrl };
  }

  private closed(reason: string): void {
    this.storage.seat = null;
    const { retry, sentence } = closeKind(reason);
    const { screen } = this;
    if (reason === 'left') return;
    if (reason === 'match_over' && screen?.matchOver() === true) {
      this.phase = 'ended';
      this.status.hide();
      return;
    }
    // Not in the middle of the session's own callback.
    queueMicrotask(() => {
      screen?.detach();
      if (retry === 'rejoin') void this.recover(reason, sentence);
      else this.showEnd(sentence, retry === 'reload');
    });
  }

  /** Finds a new match, however long the server is away. */
  private async recover(reason: string, sentence: string): Promise<void> {
    const attempt = this.beginAttempt('recovering');
    const backoff = new Backoff({ baseMs: 1_000, maxMs: 8_000 });
    let told = reason === 'draining' ? RESTARTED : `${sentence} Finding you a new match…`;
    while (attempt === this.attempt) {
      this.showRecovering(told);
      try {
        const grant = await this.seats.take(this.storage.name || 'Guest', QUICK, this.mode);
        if (attempt !== this.attempt) return;
        if (grant.sessionWasGone) told = RESTARTED;
        this.toast.show(told);
        this.phase = 'connecting';
        this.enter(grant.join, false);
        return;
      } catch (error) {
        if (attempt !== this.attempt) return;
        const retryAfterS = error instanceof ApiError ? error.retryAfterS : null;
        const waitMs = Math.max(backoff.next(), (retryAfterS ?? 0) * 1_000, 300);
        this.showRecovering(`${told} ${sentenceOf(error)} Trying again`, performance.now() + waitMs);
        await this.wait(waitMs);
      }
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.skipWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private leave(): void {
    this.storage.seat = null;
    this.screen?.end();
    // A shared link's code was for that match.
    window.history.replaceState(null, '', '.');
    this.showLanding();
  }

  private beginAttempt(phase: PagePhase): number {
    this.phase = phase;
    this.attempt += 1;
    return this.attempt;
  }

  private showConnecting(text: string): void {
    this.status.show({
      testId: 'connecting',
      title: 'One moment',
      text,
      spinner: true,
      actions: [this.leaveAction('Cancel')],
    });
  }

  private showLost(text: string, untilMs?: number): void {
    if (this.screen) this.screen.active = false;
    this.status.show({
      testId: 'lost',
      title: 'Connection lost',
      text,
      spinner: true,
      alert: true,
      ...(untilMs === undefined ? {} : { untilMs }),
      actions: [
        {
          label: 'Retry now',
          testId: 'retry',
          primary: true,
          run: () => {
            this.screen?.session?.connection.retryNow();
          },
        },
        this.leaveAction('Leave'),
      ],
    });
  }

  private showRecovering(text: string, untilMs?: number): void {
    this.status.show({
      testId: 'recovering',
      title: 'Finding you a match',
      text,
      spinner: true,
      alert: true,
      ...(untilMs === undefined ? {} : { untilMs }),
      actions: [
        { label: 'Try now', testId: 'try-now', primary: true, run: () => this.skipWait?.() },
        this.leaveAction('Back to start'),
      ],
    });
  }

  private showEnd(sentence: string, reload: boolean): void {
    this.phase = 'error';
    this.status.show({
      testId: 'ended',
      title: reload ? 'Reload needed' : 'Disconnected',
      text: sentence,
      alert: true,
      actions: [
        ...(reload
          ? [
              {
                label: 'Reload',
                testId: 'reload',
                primary: true,
                run: () => {
                  window.location.reload();
                },
              },
            ]
          : []),
        this.leaveAction('Back to start'),
      ],
    });
  }

  private leaveAction(label: string): { label: string; testId: string; run: () => void } {
    return {
      label,
      testId: 'status-leave',
      run: () => {
        this.leave();
      },
    };
  }

  private loadScreen(): Promise<PlayScreen> {
    this.screenLoading ??= this.createScreen().catch((error: unknown) => {
      // Ask again next time: the network may be back by then.
      this.screenLoading = null;
      throw error;
    });
    return this.screenLoading;
  }

  private async createScreen(): Promise<PlayScreen> {
    const replica = await this.loadModule();
    this.screen = await PlayScreen.create(this.root, replica, {
      onState: (state) => {
        this.connectionChanged(state);
      },
      onWelcome: (welcome) => {
        this.welcomed(welcome);
      },
      onPlayAgain: () => {
        this.screen?.detach();
        void this.play(this.storage.name || 'Guest', QUICK, this.mode);
      },
      onLeave: () => {
        this.leave();
      },
    });
    return this.screen;
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof ApiError
    ? error.message
    : 'The game could not be loaded. Check your connection and try again.';
}
