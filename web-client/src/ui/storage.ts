// What outlives a reload. The seat is this tab's; the guest session is this tab's and, for tabs to come, this browser's; the
// name is this browser's.
//
// Invariant: a browser that forbids or has no room for storage costs what outlives the page, and nothing else: every value is
// then kept in memory.
import type { MatchSettings, Path } from '@tickwire/client';

/** How the player came to a match. */
export type Via = 'quick' | 'create' | 'link';

/** What returns to a seat, and to its match if the server no longer knows it. */
export interface StoredSeat {
  readonly matchId: string;
  readonly token: string;
  readonly code: string;
  readonly wsUrl: string;
  /** Other addresses that lead to the match. */
  readonly alternates: readonly string[];
  readonly via: Via;
  /** Null if the server did not say. */
  readonly settings: MatchSettings | null;
}

export interface StoredSession {
  readonly token: string;
  /** As typed: the server's cleaned name may differ. */
  readonly requestedName: string;
  readonly name: string;
}

/** Where things are kept; opening one may throw. */
export interface Stores {
  readonly tab: () => Storage;
  readonly browser: () => Storage;
}

const SEAT = 'tickwire.seat';
const SESSION = 'tickwire.session';
/** The token of the game's identity provider. */
const ACCOUNT = 'tickwire.account';
const NAME = 'tickwire.name';
/** The server's schema that the page was reloaded for. */
const RELOADED = 'tickwire.reloaded';
/** The way to the server that was found, and until when it is taken. */
const PATH = 'tickwire.path';
/** Then the WebSocket is tried again. */
const PATH_MS = 10 * 60_000;

export class PageStorage {
  private readonly tab: Store;
  private readonly browser: Store;

  constructor(stores: Stores = { tab: () => window.sessionStorage, browser: () => window.localStorage }) {
    this.tab = new Store(stores.tab);
    this.browser = new Store(stores.browser);
  }

  get seat(): StoredSeat | null {
    const seat = object(this.tab.get(SEAT), ['matchId', 'token', 'code', 'wsUrl', 'via']) as StoredSeat | null;
    return (
      seat && {
        ...seat,
        alternates: texts(seat.alternates),
        settings: isSettings(seat.settings) ? seat.settings : null,
      }
    );
  }

  set seat(seat: StoredSeat | null) {
    this.tab.set(SEAT, seat && JSON.stringify(seat));
  }

  /** The same person in every tab, unless the tab has had another name. */
  get session(): StoredSession | null {
    return this.sessionIn(this.tab) ?? this.sessionIn(this.browser);
  }

  set session(session: StoredSession | null) {
    const gone = this.session;
    this.tab.set(SESSION, session && JSON.stringify(session));
    // Another tab's newer session is not this one's to forget.
    if (session || this.sessionIn(this.browser)?.token === gone?.token) {
      this.browser.set(SESSION, session && JSON.stringify(session));
    }
  }

  /** What the player of this tab signed in with; it must not outlive the tab. */
  get account(): string | null {
    return this.tab.get(ACCOUNT);
  }

  set account(token: string | null) {
    this.tab.set(ACCOUNT, token);
  }

  get name(): string {
    return this.browser.get(NAME) ?? '';
  }

  set name(name: string) {
    this.browser.set(NAME, name);
  }

  get reloadedFor(): string {
    return this.tab.get(RELOADED) ?? '';
  }

  set reloadedFor(schema: string) {
    this.tab.set(RELOADED, schema === '' ? null : schema);
  }

  /** The way to the server that works from this tab. */
  get path(): Path {
    const found = object(this.tab.get(PATH), ['path']) as { path: Path; untilMs?: unknown } | null;
    const { path, untilMs } = found ?? {};
    const isKnown = path === 'stream' || path === 'poll';
    return isKnown && typeof untilMs === 'number' && Date.now() < untilMs ? path : 'websocket';
  }

  set path(path: Path) {
    if (path === this.path) return;
    this.tab.set(PATH, path === 'websocket' ? null : JSON.stringify({ path, untilMs: Date.now() + PATH_MS }));
  }

  private sessionIn(store: Store): StoredSession | null {
    return object(store.get(SESSION), ['token', 'requestedName', 'name']) as StoredSession | null;
  }
}

/** One of the browser's storages; what it does not take is kept in memory. */
class Store {
  private readonly storage: Storage | null;
  private readonly memory = new Map<string, string | null>();

  constructor(open: () => Storage) {
    this.storage = attempt(open);
  }

  get(key: string): string | null {
    const kept = this.memory.get(key);
    return kept === undefined ? attempt(() => this.storage?.getItem(key) ?? null) : kept;
  }

  set(key: string, value: string | null): void {
    const isStored = attempt(() => {
      if (!this.storage) return false;
      if (value === null) this.storage.removeItem(key);
      else this.storage.setItem(key, value);
      return true;
    });
    if (isStored === true) this.memory.delete(key);
    else this.memory.set(key, value);
  }
}

function attempt<T>(what: () => T): T | null {
  try {
    return what();
  } catch {
    return null;
  }
}

/** The stored object if it has these strings, else null: another build may have stored it. */
function object(json: string | null, strings: readonly string[]): object | null {
  const value: unknown = attempt(() => JSON.parse(json ?? 'null') as unknown);
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Record<string, unknown>;
  return strings.every((name) => typeof fields[name] === 'string') ? value : null;
}

/** The strings of a list; another build may have stored something else. */
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function isSettings(value: unknown): value is MatchSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { mode, private: isPrivate, lobby, bots } = value as Partial<Record<keyof MatchSettings, unknown>>;
  return typeof mode === 'string' && [isPrivate, lobby, bots].every((flag) => typeof flag === 'boolean');
}
