// Where a match is reached: the address that the server named last, and others that lead to it. See "Several servers" in
// docs/PROTOCOL.md.
//
// Invariants: an address is one that this page may open, as an https page may open wss only; at most `MOVES_MAX` moves in a
// row are followed at once; without another address everything is as if there were no route.

/** What a connection asks of its route. */
export interface RouteLike {
  readonly hasOthers: boolean;
  /** The server names another address. Says whether to go there without a wait. */
  moveTo(wsUrl: string): boolean;
  /** What was tried brought no Welcome, and no reason: the next address is tried. */
  failed(): void;
  /** There was a Welcome. */
  arrived(): void;
  /** How long to wait before the next try; null: as long as where there is one server. */
  pauseMs(): number | null;
}

export interface RouteOptions {
  /** As the server said them: whole, or relative to the base. */
  readonly wsUrl: string;
  readonly alternates?: readonly string[] | undefined;
  readonly base: string;
  /** The page itself came by https. */
  readonly isSecure: boolean;
  readonly random?: () => number;
}

const ALTERNATES_MAX = 8;
const MOVES_MAX = 4;
/** Until a match that lost its server is taken over, its players ask for it often. */
const PAUSE_MIN_MS = 80;
const PAUSE_MAX_MS = 320;
/** So many tries take about as long as a server's lease and its takeover, a few times over. */
const QUICK_TRIES = 24;

export class Route implements RouteLike {
  private readonly options: RouteOptions;
  private readonly random: () => number;
  private addresses: readonly string[];
  private index = 0;
  private moves = 0;
  private tries = 0;
  private pauses = 0;
  /** The way over HTTP is beside the address, too, since each server has its own. */
  private isClustered: boolean;

  constructor(options: RouteOptions) {
    this.options = options;
    this.random = options.random ?? Math.random;
    const others = (options.alternates ?? []).slice(0, ALTERNATES_MAX).map((url) => withQuery(url, options.wsUrl));
    this.addresses = [...new Set([options.wsUrl, ...others.filter((url) => this.mayOpen(url))])];
    this.isClustered = others.length > 0;
  }

  /** The address, and then the others: what a stored seat keeps. */
  get wsUrls(): readonly string[] {
    return [this.current, ...this.addresses.filter((url) => url !== this.current)];
  }

  get hasOthers(): boolean {
    return this.addresses.length > 1;
  }

  /** Not every address was tried since the last Welcome. */
  get hasUntried(): boolean {
    return this.tries < this.addresses.length - 1;
  }

  /** Where to open a WebSocket now. */
  get socketUrl(): string {
    return socketUrl(this.current, this.options.base);
  }

  /** Where to open a connection over HTTP now. */
  get streamUrl(): string {
    return streamUrl(this.current, this.options.base, this.isClustered);
  }

  moveTo(wsUrl: string): boolean {
    const url = withQuery(wsUrl, this.current);
    if (!this.mayOpen(url)) return false;
    this.addresses = [...new Set([url, ...this.wsUrls])].slice(0, ALTERNATES_MAX + 1);
    this.index = 0;
    this.isClustered = true;
    this.moves += 1;
    return this.moves <= MOVES_MAX;
  }

  failed(): void {
    this.tries += 1;
    this.index = (this.index + 1) % this.addresses.length;
  }

  arrived(): void {
    this.addresses = this.wsUrls;
    this.index = 0;
    this.moves = 0;
    this.tries = 0;
    this.pauses = 0;
  }

  pauseMs(): number | null {
    if (!this.hasOthers || this.pauses >= QUICK_TRIES) return null;
    this.pauses += 1;
    return Math.round(PAUSE_MIN_MS + this.random() * (PAUSE_MAX_MS - PAUSE_MIN_MS));
  }

  private get current(): string {
    return this.addresses[this.index] ?? this.options.wsUrl;
  }

  private mayOpen(wsUrl: string): boolean {
    const { base, isSecure } = this.options;
    if (!URL.canParse(wsUrl, base)) return false;
    const { protocol, username, hash } = new URL(socketUrl(wsUrl, base));
    if (username !== '' || hash !== '') return false;
    return protocol === 'wss:' || (protocol === 'ws:' && !isSecure);
  }
}

/** The query says whose the connection is: an address that has none takes it from the one before it. */
function withQuery(url: string, before: string): string {
  const start = before.indexOf('?');
  return url.includes('?') || start < 0 ? url : url + before.slice(start);
}

/** The socket's address from what the server said, which may be relative. */
export function socketUrl(wsUrl: string, base: string): string {
  const url = new URL(wsUrl, base);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  return url.toString();
}

/** Where the same is had over HTTP, with what the WebSocket's address says of whose it is: beside the API, or beside the address. */
export function streamUrl(wsUrl: string, base: string, isBesideAddress = false): string {
  const address = new URL(wsUrl, base);
  const url = new URL('stream', isBesideAddress ? address : base);
  if (url.protocol === 'ws:') url.protocol = 'http:';
  if (url.protocol === 'wss:') url.protocol = 'https:';
  url.search = address.search;
  return url.toString();
}
