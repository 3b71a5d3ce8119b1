// Who plays here, for a game with accounts: the token that the game's identity provider signed, and a newer one in time.
//
// A token comes from `window.tickwireToken`, if the game's own page has set it, or in the address, where the provider put
// it when it sent the player back. Invariants: a token is out of the address before anything else happens; it goes to the
// game server and nowhere else.
import { type Api, ApiError, type GameInfo } from '@tickwire/client';
import type { PageStorage } from './storage';

/** The player's newest token; null if nobody is signed in. Asks nothing of the player. */
export type TokenSource = () => Promise<string | null>;

declare global {
  interface Window {
    tickwireToken?: TokenSource;
  }
}

export interface SignInOptions {
  readonly api: Pick<Api, 'renewSession'>;
  readonly storage: PageStorage;
  readonly source: () => TokenSource | undefined;
  /** Leaves the page for this address. */
  readonly leave: (url: string) => void;
  /** Told when it is known who plays here, or that nobody is signed in. */
  readonly onChange: (name: string | null) => void;
}

/** The provider sends the player back to the page with this and the token behind `#`. */
const IN_ADDRESS = 'tickwire-token=';
/** A newer token is asked for when so much of the time of the last one is over. */
const RENEW_AT = 2 / 3;
/** Not sooner than this after the last time. */
const PAUSE_MS = 2_000;
/** Timers take no more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class SignIn {
  private readonly options: SignInOptions;
  private url: string | null = null;
  private renewing: Promise<boolean> | null = null;
  private renewedMs = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SignInOptions) {
    this.options = options;
  }

  get isSignedIn(): boolean {
    return this.options.storage.account !== null;
  }

  /** Whether a press can sign the player in. */
  get hasPlace(): boolean {
    return this.url !== null;
  }

  set info(info: GameInfo) {
    this.url = info.accounts === true ? (info.sign_in_url ?? null) : null;
  }

  /** Takes the token out of the address, if there is one; the address without it. */
  takeFrom(address: string): string {
    const [rest = '', fragment = ''] = address.split('#', 2);
    if (!fragment.startsWith(IN_ADDRESS)) return address;
    this.options.storage.account = decodeURIComponent(fragment.slice(IN_ADDRESS.length));
    return rest;
  }

  /** The token to ask for a seat with; null for a guest. */
  async token(): Promise<string | null> {
    return this.options.storage.account ?? (await this.newer());
  }

  /** A token other than the one that was refused; null if there is none, and then nobody is signed in. */
  async another(refused: string): Promise<string | null> {
    const newer = await this.newer();
    if (newer !== null && newer !== refused) return newer;
    this.forget();
    return null;
  }

  /** Tells the server of the newest token, which keeps the player in the match. False if it takes none. */
  renew(): Promise<boolean> {
    this.renewing ??= this.tryRenew().finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  /** As `renew`, unless that was just done. */
  async renewAgain(): Promise<boolean> {
    return performance.now() - this.renewedMs > PAUSE_MS && (await this.renew());
  }

  /** Sends the player where one signs in, and from there back. */
  go(here = window.location.href): void {
    if (this.url === null) return;
    const there = new URL(this.url, here);
    there.searchParams.set('return_to', here);
    this.options.leave(there.href);
  }

  private async tryRenew(): Promise<boolean> {
    this.renewedMs = performance.now();
    const token = (await this.newer()) ?? this.options.storage.account;
    if (token === null) return false;
    try {
      const { name, expires_in_s: expiresInS } = await this.options.api.renewSession(token);
      this.options.onChange(name);
      if (expiresInS !== undefined) this.renewIn(expiresInS * 1_000 * RENEW_AT);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === UNAUTHORIZED) this.forget();
      return false;
    }
  }

  private renewIn(ms: number): void {
    clearTimeout(this.timer);
    // Without a source there is no other token to come by.
    if (!this.options.source()) return;
    const wait = Math.min(Math.max(ms, PAUSE_MS), TIMER_MS_MAX);
    this.timer = setTimeout(() => void this.renew(), wait);
  }

  private async newer(): Promise<string | null> {
    const source = this.options.source();
    if (!source) return null;
    try {
      const token = await source();
      if (token !== null) this.options.storage.account = token;
      return token;
    } catch {
      // The game's own page is in trouble: what is known is used as long as it is good.
      return null;
    }
  }

  private forget(): void {
    this.options.storage.account = null;
    this.options.onChange(null);
  }
}

const UNAUTHORIZED = 401;
