// One match's socket: says Hello, hands every message to the replica, notices silence, and comes back by itself with
// the newest resume token until the server gives a reason not to.
//
// Invariants: at most one socket is open; after `close` or a final reason nothing is opened again; a ticket is
// presented until the first Welcome, and from then on only the resume token is. A socket that finds another way to the
// server opens once more, and is told Hello once more.
import { Backoff } from './backoff';
import { retryOf, UNREADABLE, type EndReason } from './close';
import type { ControlRecord } from '../replica/control';
import type { RouteLike } from './route';
import { MalformedMessage, type Replica } from '../replica/wasm';

export type Credential =
  | { readonly kind: 'ticket'; readonly ticket: string }
  | { readonly kind: 'resume'; readonly matchId: string; readonly token: string }
  /** The stream starts without a Hello, as for spectators. */
  | { readonly kind: 'none' };

export type ConnectionState =
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAtMs: number }
  | { readonly kind: 'closed'; readonly reason: string };

/** What went wrong since the connection was last live. */
export interface Trouble {
  /** Why the server closed it, if it said so and the seat is kept. */
  readonly reason: string | null;
  /** When the last socket that never opened was tried; null if the last one did open. */
  readonly failedMs: number | null;
  /** When the present socket was tried; null once it is open, and while there is none. */
  readonly openingMs: number | null;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  binaryType: BinaryType;
  readonly readyState: number;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export interface ConnectionOptions {
  readonly replica: Replica;
  readonly credential: Credential;
  readonly openSocket: () => SocketLike;
  /** Where the next socket goes; none where there is one place only. */
  readonly route?: RouteLike | undefined;
  readonly onState: (state: ConnectionState) => void;
  readonly onControl: (record: ControlRecord) => void;
  readonly onSnapshot: () => void;
  readonly now?: () => number;
  readonly backoff?: Backoff;
}

/** A live stream sends many times a second; this long a silence means a dead path that no close event will report. */
const SILENCE_MS = 4_000;
/** The same where other servers may have the match by then. */
const SILENCE_OTHERS_MS = 2_000;
/** Whoever asks to retry while something came within this time has nothing to retry. */
const FRESH_MS = 1_000;
const WATCH_INTERVAL_MS = 500;
/** The watch runs at least this often, unless the machine slept. */
const SLEPT_MS = 3_000;
/** Opening and Hello together may take this long. */
const OPEN_TIMEOUT_MS = 8_000;
/** After these reasons, whoever came back at once would be refused again. */
const PAUSE_MS: Readonly<Record<string, number>> = {
  rate_limited: 3_000,
  busy: 500,
  sign_in_expired: 2_000,
} satisfies Partial<Record<EndReason, number>>;
const OPEN = 1;

export class Connection {
  private readonly options: ConnectionOptions;
  private readonly now: () => number;
  private readonly backoff: Backoff;
  private credential: Credential;
  /** What opened the session that `credential` is of: a server that died may have told nobody of the newest. */
  private before: Credential | null = null;
  private socket: SocketLike | null = null;
  private current: ConnectionState = { kind: 'connecting', attempt: 0 };
  private reason: string | null = null;
  private failedMs: number | null = null;
  /** The server named another address, and it may be tried without a wait. */
  private isMoving = false;
  /** This socket brought neither Welcome nor a reason yet. */
  private isInVain = false;
  private openingMs: number | null = null;
  private lastHeardMs = 0;
  private lastWatchMs = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.credential = options.credential;
    this.now = options.now ?? (() => performance.now());
    this.backoff = options.backoff ?? new Backoff();
  }

  get state(): ConnectionState {
    return this.current;
  }

  get trouble(): Trouble {
    const { reason, failedMs, openingMs } = this;
    return { reason, failedMs, openingMs };
  }

  /** Opens the first socket. */
  start(): void {
    this.lastWatchMs = this.now();
    this.watchTimer = setInterval(() => {
      this.watch();
    }, WATCH_INTERVAL_MS);
    this.open();
  }

  /** Opens another socket at once: for one that is due later, hangs while it opens, or has gone silent. */
  retryNow(): void {
    if (this.current.kind === 'closed') return;
    if (this.current.kind === 'live' && this.now() - this.lastHeardMs < FRESH_MS) return;
    this.open();
  }

  /** Drops the message if the socket is not open: what it said would be stale when it reopened. */
  send(message: Uint8Array): boolean {
    if (this.current.kind !== 'live' || this.socket?.readyState !== OPEN) return false;
    this.socket.send(message as Uint8Array<ArrayBuffer>);
    return true;
  }

  /** Ends it from this side. */
  close(reason = 'left'): void {
    this.finish(reason);
  }

  private open(): void {
    clearTimeout(this.retryTimer);
    this.abandonSocket();
    this.setState({ kind: 'connecting', attempt: this.backoff.attempt });
    this.lastHeardMs = this.now();
    this.openingMs = this.now();
    this.isMoving = false;
    this.isInVain = true;
    let socket: SocketLike;
    try {
      socket = this.options.openSocket();
    } catch {
      // A browser that forbids this connection says so by throwing.
      this.lost();
      return;
    }
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      // Over HTTP there is no telling that it is open before something has come.
      if (socket.readyState === OPEN) this.isOpen();
      this.lastHeardMs = this.now();
      this.options.replica.reset();
      const hello = this.hello();
      if (hello) socket.send(hello as Uint8Array<ArrayBuffer>);
    };
    socket.onmessage = (event) => {
      this.receive(event.data);
    };
    socket.onclose = () => {
      this.lost();
    };
    this.socket = socket;
  }

  private hello(): Uint8Array | null {
    const { replica } = this.options;
    const { credential } = this;
    switch (credential.kind) {
      case 'ticket':
        return replica.helloTicket(credential.ticket);
      case 'resume':
        return replica.helloResume(credential.matchId, credential.token);
      case 'none':
        return null;
    }
  }

  private isOpen(): void {
    this.openingMs = null;
    this.failedMs = null;
  }

  private receive(data: unknown): void {
    this.lastHeardMs = this.now();
    this.isOpen();
    try {
      if (!(data instanceof ArrayBuffer)) throw new MalformedMessage('text');
      const received = this.options.replica.receive(new Uint8Array(data));
      for (const record of received.controls) this.control(record);
      // A listener of a record may have closed the connection.
      if (received.snapshot && this.socket) this.options.onSnapshot();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.finish(UNREADABLE);
    }
  }

  private control(record: ControlRecord): void {
    if (record.type === 'welcome') {
      if (record.player !== null) {
        this.before = this.credential;
        this.credential = { kind: 'resume', matchId: record.matchId, token: record.resume };
      }
      this.backoff.reset();
      this.reason = null;
      this.isInVain = false;
      this.options.route?.arrived();
      this.options.onControl(record);
      this.setState({ kind: 'live' });
      return;
    }
    this.options.onControl(record);
    if (record.type === 'desync') {
      // Coming back to the seat starts over from a keyframe.
      console.warn(`tickwire: desync of "${record.table}" at tick ${record.tick ?? '?'}`);
      this.lost();
    }
    if (record.type === 'migrate') {
      this.isInVain = false;
      this.isMoving = this.options.route?.moveTo(record.url) ?? false;
    }
    if (record.type !== 'closing') return;
    this.isInVain = false;
    if (record.reason === 'bad_resume' && this.before && this.options.route?.hasOthers === true) {
      this.credential = this.before;
      this.before = null;
      this.lost();
      return;
    }
    if (retryOf(record.reason) !== 'resume') {
      this.finish(record.reason);
      return;
    }
    this.reason = record.reason;
    this.lost();
  }

  private lost(): void {
    if (this.current.kind === 'closed') return;
    this.abandonSocket();
    this.failedMs = this.openingMs ?? this.failedMs;
    this.openingMs = null;
    if (this.isInVain) this.options.route?.failed();
    const delayMs = this.delayMs();
    this.setState({ kind: 'waiting', attempt: this.backoff.attempt, retryAtMs: this.now() + delayMs });
    this.retryTimer = setTimeout(() => {
      this.open();
    }, delayMs);
  }

  private delayMs(): number {
    const backoffMs = this.backoff.next();
    if (this.isMoving) return 0;
    return Math.max(this.options.route?.pauseMs() ?? backoffMs, PAUSE_MS[this.reason ?? ''] ?? 0);
  }

  private watch(): void {
    const now = this.now();
    // After sleep this runs before the messages that waited meanwhile: give them a full period to be heard.
    if (now - this.lastWatchMs > SLEPT_MS) this.lastHeardMs = now;
    this.lastWatchMs = now;
    const silenceMs = this.options.route?.hasOthers === true ? SILENCE_OTHERS_MS : SILENCE_MS;
    const limitMs = this.current.kind === 'live' ? silenceMs : OPEN_TIMEOUT_MS;
    if (this.socket && now - this.lastHeardMs > limitMs) this.lost();
  }

  private finish(reason: string): void {
    if (this.current.kind === 'closed') return;
    clearTimeout(this.retryTimer);
    clearInterval(this.watchTimer);
    this.abandonSocket();
    this.setState({ kind: 'closed', reason });
  }

  private abandonSocket(): void {
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private setState(state: ConnectionState): void {
    this.current = state;
    this.options.onState(state);
  }
}
