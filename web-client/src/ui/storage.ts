// What outlives a reload. The seat and the guest session are this tab's; the name is this browser's.
//
// Storage may be forbidden by the browser: then nothing is remembered and everything else works.

/** What returns to a seat. */
export interface StoredSeat {
  readonly matchId: string;
  readonly token: string;
  readonly code: string;
  readonly wsUrl: string;
}

export interface StoredSession {
  readonly token: string;
  /** As typed: the server's cleaned name may differ. */
  readonly requestedName: string;
  readonly name: string;
}

const SEAT = 'tickwire.seat';
const SESSION = 'tickwire.session';
const NAME = 'tickwire.name';

export class PageStorage {
  private readonly tab: Storage | null = open(() => window.sessionStorage);
  private readonly browser: Storage | null = open(() => window.localStorage);

  get seat(): StoredSeat | null {
    return read(this.tab, SEAT, ['matchId', 'token', 'code', 'wsUrl']) as StoredSeat | null;
  }

  set seat(seat: StoredSeat | null) {
    write(this.tab, SEAT, seat);
  }

  get session(): StoredSession | null {
    return read(this.tab, SESSION, ['token', 'requestedName', 'name']) as StoredSession | null;
  }

  set session(session: StoredSession | null) {
    write(this.tab, SESSION, session);
  }

  get name(): string {
    return this.browser?.getItem(NAME) ?? '';
  }

  set name(name: string) {
    try {
      this.browser?.setItem(NAME, name);
    } catch {
      // A full or forbidden storage costs only the prefilled name.
    }
  }
}

function open(get: () => Storage): Storage | null {
  try {
    return get();
  } catch {
    return null;
  }
}

/** The stored object if it has these strings, else null: another build may have stored it. */
function read(storage: Storage | null, key: string, strings: readonly string[]): object | null {
  try {
    const value: unknown = JSON.parse(storage?.getItem(key) ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const fields = value as Record<string, unknown>;
    return strings.every((name) => typeof fields[name] === 'string') ? value : null;
  } catch {
    return null;
  }
}

function write(storage: Storage | null, key: string, value: object | null): void {
  try {
    if (value === null) storage?.removeItem(key);
    else storage?.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage a reload starts anew.
  }
}
