// The ways in which messages reach the server, and how a page finds one that works: a WebSocket; where none gets
// through, one long response and requests; where that is held back on its way, a request for each message.
//
// Invariants: a slower way is taken only when the one before it brought nothing; it is remembered once it has brought
// something, and for a while only, so that a page returns to the WebSocket.
import type { SocketLike } from './connection';
import { whenSilent } from './silence';

export type Path = 'websocket' | 'stream' | 'poll';

/** Where what was found is kept. */
export interface PathMemory {
  get: () => Path;
  set: (path: Path) => void;
}

/** A connection over HTTP. */
export interface HttpSocketLike extends SocketLike {
  readonly path: Exclude<Path, 'websocket'>;
  /** The response is held back on its way. */
  onbuffered: (() => void) | null;
  /** Opens: now somebody listens. */
  start: () => void;
}

export interface PathsOptions {
  readonly memory: PathMemory;
  readonly openWebSocket: () => SocketLike;
  /** Loads the code first: few need it. */
  readonly openHttp: (path: Exclude<Path, 'websocket'>) => Promise<HttpSocketLike>;
  /** The server has another address that was not tried yet: a socket that does not open there may be the server's fault. */
  readonly hasUntried?: () => boolean;
  readonly now?: () => number;
}

/** A WebSocket that has not opened, or brought nothing since, after so long is not going to. */
const WEBSOCKET_MS = 2_500;
/** So long it may take where there is another place to try. */
const WEBSOCKET_UNTRIED_MS = 1_000;
/** Two in a row that break within so long after their first message were cut by something that looks into them. */
const CUT_MS = 3_000;
const CUTS_MAX = 2;
const CLOSED = 3;

/** Every socket that it opens goes whatever way works. */
export class Paths {
  private readonly options: PathsOptions;
  private current: Path = 'websocket';
  /** WebSockets in a row that broke soon. */
  private cuts = 0;
  /** A WebSocket has brought something: this network lets them through. */
  private isProven = false;

  constructor(options: PathsOptions) {
    this.options = options;
  }

  /** What carries messages now, or did last. */
  get path(): Path {
    return this.current;
  }

  open(): SocketLike {
    const goesElsewhere = this.isProven && (this.options.hasUntried?.() ?? false);
    return new Way(
      { ...this.options, goesElsewhere },
      (path) => {
        this.current = path;
      },
      () => {
        this.isProven = true;
      },
      (livedMs) => {
        this.cuts = livedMs < CUT_MS ? this.cuts + 1 : 0;
        if (this.cuts >= CUTS_MAX) this.options.memory.set('stream');
      },
    );
  }
}

interface WayOptions extends PathsOptions {
  /** What brings nothing is given up, not tried another way: the next one goes to another place. */
  readonly goesElsewhere: boolean;
}

/** One connection: tries a way, and the next slower one if nothing comes of it. */
class Way implements SocketLike {
  binaryType: BinaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  private readonly options: WayOptions;
  private readonly onPath: (path: Path) => void;
  private readonly onProven: () => void;
  private readonly onBroken: (livedMs: number) => void;
  private readonly now: () => number;
  private inner: SocketLike | null = null;
  private isClosed = false;
  /** Ends the wait for something to come. */
  private stopWaiting: (() => void) | null = null;
  private heardMs: number | null = null;

  constructor(
    options: WayOptions,
    onPath: (path: Path) => void,
    onProven: () => void,
    onBroken: (livedMs: number) => void,
  ) {
    this.options = options;
    this.onPath = onPath;
    this.onProven = onProven;
    this.onBroken = onBroken;
    this.now = options.now ?? (() => performance.now());
    const path = options.memory.get();
    if (path === 'websocket') this.tryWebSocket();
    else void this.tryHttp(path);
  }

  get readyState(): number {
    return this.isClosed ? CLOSED : (this.inner?.readyState ?? 0);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.inner?.send(data);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.abandon();
  }

  private tryWebSocket(): void {
    this.onPath('websocket');
    const { goesElsewhere } = this.options;
    const slower = (): void => {
      if (goesElsewhere) this.over();
      else void this.tryHttp('stream');
    };
    let socket: SocketLike;
    try {
      socket = this.options.openWebSocket();
    } catch {
      // A browser that forbids it says so by throwing.
      slower();
      return;
    }
    this.take(socket, slower);
    this.wait(slower);
    const { onopen } = socket;
    socket.onopen = () => {
      this.wait(slower);
      onopen?.();
    };
  }

  private async tryHttp(path: Exclude<Path, 'websocket'>): Promise<void> {
    this.abandon();
    this.heardMs = null;
    let socket: HttpSocketLike;
    try {
      socket = await this.options.openHttp(path);
    } catch {
      this.failed();
      return;
    }
    if (this.isClosed) {
      socket.close();
      return;
    }
    this.onPath(path);
    this.take(socket, () => {
      this.failed();
    });
    socket.onbuffered = () => {
      void this.tryHttp('poll');
    };
    socket.start();
  }

  /** Goes on with `socket`. `onNothing` is for one that closes before it brought anything. */
  private take(socket: SocketLike, onNothing: () => void): void {
    socket.binaryType = this.binaryType;
    socket.onopen = () => {
      this.onopen?.();
    };
    socket.onmessage = (event) => {
      if (this.heardMs === null) this.heardFirst(socket);
      this.onmessage?.(event);
    };
    socket.onclose = () => {
      if (this.heardMs === null) {
        onNothing();
        return;
      }
      if (!isHttp(socket)) this.onBroken(this.now() - this.heardMs);
      this.over();
    };
    this.inner = socket;
  }

  private heardFirst(socket: SocketLike): void {
    this.stopWaiting?.();
    this.heardMs = this.now();
    if (isHttp(socket)) this.options.memory.set(socket.path);
    else this.onProven();
  }

  private wait(onNothing: () => void): void {
    this.stopWaiting?.();
    this.stopWaiting = whenSilent(this.options.goesElsewhere ? WEBSOCKET_UNTRIED_MS : WEBSOCKET_MS, onNothing);
  }

  /** No way works: perhaps the server is away. */
  private failed(): void {
    this.options.memory.set('websocket');
    this.over();
  }

  private over(): void {
    if (this.isClosed) return;
    this.close();
    this.onclose?.();
  }

  private abandon(): void {
    this.stopWaiting?.();
    const { inner } = this;
    this.inner = null;
    if (!inner) return;
    inner.onopen = null;
    inner.onmessage = null;
    inner.onclose = null;
    inner.close();
  }
}

function isHttp(socket: SocketLike): socket is HttpSocketLike {
  return 'path' in socket;
}
