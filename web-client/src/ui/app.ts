// The player's page as a whole: landing, seat, match, and every way back into one after a loss. What is told of it comes from
// `connection-story.ts`, which is asked ten times a second.
//
// Invariant: the stored seat is the newest resume credential while there is a match to return to, and absent otherwise.
import type { GameScreen } from '../match';
import {
  Api,
  ApiError,
  Backoff,
  Freshness,
  retryOf,
  Route,
  type ConnectionState,
  type Credential,
  type GameInfo,
  type Join,
  type Path,
  type Paths,
  type Trouble,
  type Welcome,
} from '@tickwire/client';
import { joinCode, serverBase, showJoinCode } from './address';
import {
  arrivalSentence,
  isBlocked,
  mismatchSentence,
  pathSentence,
  signOf,
  storyOf,
  type ActionKind,
  type Situation,
  type Stage,
} from './connection-story';
import { DEFAULT_MODE, GAME_NAME } from './game';
import { DEFAULT_NAME, Landing } from './landing';
import { whenIdle, type Loader } from './loader';
import { pathsAlong } from './paths';
import { isUneasy, phaseOf, sentenceOf, viaOf, type PagePhase } from './page-phase';
import { findingOf, Prober } from './prober';
import { Seats, type PlayRequest } from './seats';
import { SignIn } from './sign-in';
import { Signs } from './signs';
import { StatusScreen } from './status-screen';
import { PageStorage, type StoredSeat, type Via } from './storage';
import { isShared, Search } from './way-back';

/** A match that the player is in or comes into. */
type Seat = Omit<StoredSeat, 'token'>;

const QUICK: PlayRequest = { kind: 'quick' };
/** Why the server closes the connection of someone whose sign-in has expired. */
const SIGNED_OUT = 'sign_in_expired';
const BEAT_MS = 100;

export class App {
  screen: GameScreen | null = null;
  private readonly root: HTMLElement;
  private readonly loader: Loader;
  private readonly api = new Api(serverBase());
  private readonly storage = new PageStorage();
  private readonly signIn: SignIn;
  private readonly seats: Seats;
  private readonly prober: Prober;
  private readonly status: StatusScreen;
  private readonly signs = new Signs();
  private readonly landing: Landing;
  private readonly freshness = new Freshness();
  private readonly searchBackoff = new Backoff({ baseMs: 1_000, maxMs: 8_000 });
  private info: GameInfo | null = null;
  private screenMade: Promise<GameScreen> | null = null;
  private mode: string = DEFAULT_MODE;
  /** Who plays here: another tab may have given this browser another name since. */
  private name = '';
  /** Who is signed in, as others see them. */
  private account: string | null = null;
  private stage: Stage | 'landing' | 'results' = 'landing';
  private stageMs = 0;
  /** Counts attempts to get into a match: an answer to an abandoned one is ignored. */
  private attempt = 0;
  private seat: Seat | null = null;
  /** There was a Welcome in the match of `seat`. */
  private wasIn = false;
  private reason: string | null = null;
  private refusal: Situation['refusal'] = null;
  private search: Search | null = null;
  private paths: Paths | null = null;
  private route: Route | null = null;
  /** When last looked, the server was known to answer. */
  private answered = false;
  /** What to say when the player is in a match again. */
  private arrival = '';

  constructor(root: HTMLElement, landing: HTMLElement, loader: Loader) {
    this.root = root;
    this.loader = loader;
    this.signIn = new SignIn({
      api: this.api,
      storage: this.storage,
      source: () => window.tickwireToken,
      leave: (url) => {
        window.location.assign(url);
      },
      onChange: (name) => {
        this.account = name;
        this.greet();
      },
    });
    this.seats = new Seats(this.api, this.storage, this.signIn);
    this.prober = new Prober({ api: this.api, build: () => this.loader.loaded?.replica.build ?? null });
    this.status = new StatusScreen((action) => {
      this.act(action);
    });
    this.landing = new Landing({
      element: landing,
      name: this.storage.name,
      joinCode: joinCode(),
      onPlay: (name, request, mode) => void this.play(name, request, mode),
      onIntent: () => {
        this.prefetch();
      },
      loadMatches: () => this.api.matches(),
      onSignIn: () => {
        this.signIn.go();
      },
    });
    root.append(this.signs.element);
    window.addEventListener('online', () => {
      this.retry();
    });
    setInterval(() => {
      this.beat();
    }, BEAT_MS);
  }

  /** How messages reach the server, or did last. */
  get path(): Path {
    return this.paths?.path ?? 'websocket';
  }

  get phase(): PagePhase {
    return phaseOf(this.stage, this.status.isShown);
  }

  start(): void {
    const { href } = window.location;
    const address = this.signIn.takeFrom(href);
    if (address !== href) window.history.replaceState(null, '', address);
    const known = this.signIn.renew();
    const { seat } = this.storage;
    const invited = joinCode();
    this.name = this.storage.session?.requestedName ?? (this.storage.name || DEFAULT_NAME);
    if (seat && (invited === null || invited.toUpperCase() === seat.code.toUpperCase())) {
      void this.returnTo(seat, known);
    } else {
      // Whoever opens a link to another match wants to be there.
      this.storage.seat = null;
      this.showLanding('', 'invited');
      this.landing.pressEarlier();
    }
    void this.meetServer();
    whenIdle(() => {
      this.prefetch();
    });
  }

  private prefetch(): void {
    this.makeScreen().catch(() => undefined);
  }

  private async meetServer(): Promise<void> {
    try {
      this.info = await this.api.info();
      this.landing.info = this.info;
      this.signIn.info = this.info;
      this.greet();
      if (this.info.game === GAME_NAME) return;
      this.prober.finding = { kind: 'other_game', game: this.info.game };
    } catch (error) {
      const check = await this.api.connectCheck().catch((refused: unknown) => refused);
      if (findingOf(check).kind !== 'refused_origin') return;
      this.prober.finding = { kind: 'refused_origin' };
      if (this.stage === 'landing') this.landing.showError(sentenceOf(check ?? error));
      return;
    }
    if (this.stage === 'landing') this.landing.showError(mismatchSentence(this.prober.finding));
  }

  /** The first page goes by who may play, and who is signed in. */
  private greet(): void {
    const guests = this.info?.guests ?? true;
    this.landing.visitor = { account: this.account, guests, canSignIn: this.signIn.hasPlace };
  }

  /** Who was invited and did not get in yet still is. */
  private showLanding(error = '', who: 'invited' | 'anyone' = 'anyone'): void {
    this.attempt += 1;
    this.search?.stop();
    this.search = null;
    this.seat = null;
    this.arrival = '';
    this.setStage('landing');
    this.screen?.detach();
    if (who === 'anyone') showJoinCode(null);
    this.landing.busy = false;
    this.landing.show();
    this.landing.showError(error);
  }

  private async play(name: string, request: PlayRequest, mode: string): Promise<void> {
    this.storage.name = name;
    this.name = name;
    this.mode = mode;
    await this.comeIn(() => this.seats.take(name, request, mode), viaOf(request));
  }

  /** Asks for a seat and takes it. */
  private async comeIn(ask: () => Promise<Join>, via: Via): Promise<void> {
    const attempt = this.beginAttempt('asking');
    this.landing.busy = true;
    try {
      const [join] = await Promise.all([ask(), this.makeScreen()]);
      if (attempt === this.attempt) this.enter(join, via);
    } catch (error) {
      if (attempt === this.attempt) this.showLanding(sentenceOf(error), 'invited');
    }
  }

  /** Resumes the seat that another load of the page had. */
  private async returnTo(stored: StoredSeat, known: Promise<boolean>): Promise<void> {
    const { token, ...seat } = stored;
    this.seat = seat;
    const attempt = this.beginAttempt('returning');
    try {
      // A seat opens to nobody whose sign-in has expired.
      await Promise.all([this.makeScreen(), known]);
      if (attempt === this.attempt) this.connect({ kind: 'resume', matchId: seat.matchId, token });
    } catch (error) {
      if (attempt === this.attempt) this.showLanding(sentenceOf(error), 'invited');
    }
  }

  private enter(join: Join, via: Via): void {
    const { match, code, ws_url: wsUrl, alternates = [], settings } = join;
    this.seat = { matchId: match.id, code, wsUrl, alternates, settings, via };
    this.wasIn = false;
    this.setStage('joining');
    this.connect({ kind: 'ticket', ticket: join.ticket });
  }

  private connect(credential: Credential): void {
    const { seat, screen } = this;
    if (!seat || !screen) return;
    const base = serverBase();
    const route = new Route({ ...seat, base, isSecure: isSecure(base) || isSecure(document.baseURI) });
    const paths = pathsAlong(route, this.storage);
    this.paths = paths;
    this.route = route;
    this.reason = null;
    screen.begin({
      credential,
      code: seat.code,
      openSocket: () => paths.open(),
      route,
    });
  }

  private connectionChanged(state: ConnectionState): void {
    if (state.kind === 'waiting') this.prober.soon();
    if (state.kind === 'waiting' && this.trouble?.reason === SIGNED_OUT) void this.signInAgain();
    if (state.kind === 'closed') this.closed(state.reason);
  }

  private get trouble(): Trouble | undefined {
    return this.screen?.session?.connection.trouble;
  }

  /** Goes on at once if the game's own page has a newer token. */
  private async signInAgain(): Promise<void> {
    if (await this.signIn.renewAgain()) this.retry();
  }

  private welcomed(welcome: Welcome): void {
    const { seat } = this;
    if (!seat) return;
    this.setStage('playing');
    this.wasIn = true;
    const [wsUrl, ...alternates] = this.route?.wsUrls ?? [];
    this.seat = { ...seat, matchId: welcome.matchId, wsUrl: wsUrl ?? seat.wsUrl, alternates };
    this.storage.seat = { ...this.seat, token: welcome.resume };
    this.storage.reloadedFor = '';
    this.searchBackoff.reset();
    this.landing.hide();
    this.landing.forgetInvitation();
    showJoinCode(isShared(this.seat) ? this.seat.code : null);
    if (this.arrival !== '') this.signs.toast.show(this.arrival);
    this.arrival = '';
  }

  private closed(reason: string): void {
    if (reason === 'left') return;
    this.reason = reason;
    const retry = retryOf(reason);
    if (retry === 'rejoin') {
      // Not in the middle of the session's own callback.
      queueMicrotask(() => void this.findAgain(reason));
      return;
    }
    this.storage.seat = null;
    const stays = reason === 'match_over' && this.screen?.view.matchOver() === true;
    this.setStage(stays ? 'results' : 'over');
    if (retry === 'reload') this.prober.look();
  }

  /** Finds the match again, or another one, however long the server is away. */
  private async findAgain(reason: string): Promise<void> {
    const { seat, wasIn } = this;
    if (!seat) return;
    this.reason = reason;
    const attempt = this.beginAttempt('finding');
    const search = new Search({
      lost: seat,
      take: (request) => this.seats.take(this.name, request, seat.settings?.mode ?? this.mode),
      onTrouble: (error) => {
        this.prober.finding = findingOf(error);
        this.refusal = error instanceof ApiError ? { code: error.code, sentence: sentenceOf(error) } : null;
      },
      backoff: this.searchBackoff,
      // A seat that was never come into is no reason to hurry to the next.
      waitFirst: !wasIn,
    });
    this.search = search;
    const gone = this.seats.sessionsGone;
    const result = await search.run();
    if (!result || attempt !== this.attempt) return;
    const { join, found } = result;
    const restarted = reason === 'draining' || this.seats.sessionsGone > gone;
    this.arrival = wasIn ? arrivalSentence({ found, reason, restarted }) : '';
    this.enter(join, found === 'another' ? 'quick' : seat.via);
  }

  private act(action: ActionKind): void {
    switch (action) {
      case 'retry':
        this.retry();
        break;
      case 'cancel':
      case 'leave':
      case 'back':
        this.leave();
        break;
      case 'reload':
        this.storage.reloadedFor = this.serverSchema ?? 'unknown';
        window.location.reload();
        break;
      case 'take_back':
        void this.takeBack();
        break;
      case 'sign_in':
        this.signIn.go();
        break;
      case 'again':
        void this.play(this.name, QUICK, this.mode);
        break;
    }
  }

  private retry(): void {
    this.prober.soon();
    if (this.stage === 'finding') this.search?.retryNow();
    else if (this.stage !== 'landing') this.screen?.session?.connection.retryNow();
  }

  /** The same person asks for the seat that another tab plays now. */
  private async takeBack(): Promise<void> {
    const { seat } = this;
    if (!seat) return;
    const request: PlayRequest = { kind: 'join', idOrCode: seat.matchId };
    await this.comeIn(() => this.seats.take(this.name, request, this.mode), seat.via);
  }

  private leave(): void {
    this.storage.seat = null;
    this.screen?.end();
    this.showLanding();
  }

  private beginAttempt(stage: Stage): number {
    this.attempt += 1;
    this.search?.stop();
    this.search = null;
    this.refusal = null;
    this.setStage(stage);
    return this.attempt;
  }

  private setStage(stage: App['stage']): void {
    if (stage === 'playing' || stage !== this.stage) this.prober.clear();
    this.stage = stage;
    this.stageMs = performance.now();
    if (stage === 'playing') this.freshness.restart();
    this.beat();
  }

  /** Looks at how things are, and tells it. */
  private beat(): void {
    const situation = this.situation();
    const story = situation && storyOf(situation);
    const wasTold = this.status.isShown;
    this.status.show(story);
    this.signs.showStalled(situation && signOf(situation));
    this.screen?.view.showPath(pathSentence(this.path));
    const session = this.stage === 'playing' ? this.screen?.session : null;
    this.signs.showDrain(story ? null : (session?.drainSeconds(performance.now()) ?? null));
    // While a dialog is open, its keys are its own; before, what is held stays held.
    if (this.screen && wasTold !== this.status.isShown) this.screen.active = !this.status.isShown;
    if (situation && isUneasy(situation)) this.prober.look();
    this.hurryBack();
  }

  /** The server answers again: whoever waits for the next try need not. */
  private hurryBack(): void {
    const answers = this.prober.answersSinceMs !== null;
    const connection = this.screen?.session?.connection;
    if (answers && !this.answered && connection?.state.kind === 'waiting' && connection.trouble.reason === null) {
      connection.retryNow();
    }
    this.answered = answers;
  }

  private situation(): Situation | null {
    const { stage } = this;
    if (stage === 'landing' || stage === 'results') return null;
    const nowMs = performance.now();
    const session = this.screen?.session ?? null;
    const { trouble } = this;
    const signedOut = trouble?.reason === SIGNED_OUT ? SIGNED_OUT : null;
    const snapshotMs = session?.lastSnapshotMs ?? null;
    return {
      stage: stage === 'asking' && !this.loader.loaded ? 'loading' : stage,
      waitedMs: stage === 'playing' ? this.freshness.update(snapshotMs, nowMs) : nowMs - this.stageMs,
      reason: stage === 'playing' ? (trouble?.reason ?? null) : (this.reason ?? signedOut),
      draining: stage === 'playing' && (session?.drainSeconds(nowMs) ?? null) !== null,
      blocked: trouble !== undefined && isBlocked(trouble, this.prober.answersSinceMs, nowMs),
      finding: this.prober.finding,
      refusal: this.refusal,
      shared: this.seat !== null && isShared(this.seat),
      graceS: this.info?.grace_s ?? null,
      reloaded: this.storage.reloadedFor !== '' && this.storage.reloadedFor === this.serverSchema,
      origin: window.location.origin,
      canSignIn: this.signIn.hasPlace,
    };
  }

  private get serverSchema(): string | null {
    const { finding } = this.prober;
    return finding.kind === 'other_version' ? finding.schema : (this.info?.schema ?? null);
  }

  private makeScreen(): Promise<GameScreen> {
    this.screenMade ??= this.createScreen().catch((error: unknown) => {
      // Ask again next time: the network may be back by then.
      this.screenMade = null;
      throw error;
    });
    return this.screenMade;
  }

  private async createScreen(): Promise<GameScreen> {
    const { match, replica } = await this.loader.load();
    this.screen = await match.createScreen(this.root, replica, {
      onState: (state) => {
        this.connectionChanged(state);
      },
      onWelcome: (welcome) => {
        this.welcomed(welcome);
      },
      onPlayAgain: () => {
        void this.play(this.name, QUICK, this.mode);
      },
      onLeave: () => {
        this.leave();
      },
    });
    return this.screen;
  }
}

function isSecure(url: string): boolean {
  return url.startsWith('https:');
}
