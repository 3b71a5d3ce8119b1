// The admin listener's API. The token comes from the address bar's hash, which browsers send to nobody.
import { Api } from '@tickwire/client';

export interface ServerTotals {
  readonly uptime_s: number;
  readonly connections: number;
  readonly matches: number;
  readonly workers: number;
  /** Takes no new matches and ends when those that run have. */
  readonly draining: boolean;
}

export interface AdminMatch {
  readonly id: string;
  readonly code: string;
  readonly mode: string;
  readonly phase: string;
  readonly tick: number;
  readonly tick_rate: number;
  /** Connected. */
  readonly players: number;
  /** Seats that people hold: connected, away or reserved. */
  readonly held: number;
  readonly bots: number;
  readonly spectators: number;
  readonly max_players: number;
  readonly tick_us_p50: number;
  readonly tick_us_p99: number;
  readonly overruns: number;
  readonly late_p99_us: number;
  readonly bytes_per_s: number;
  readonly age_s: number;
}

/** A match of another server, as that one told the others. */
export interface MatchElsewhere {
  readonly id: string;
  readonly server: string;
  readonly mode: string;
  readonly phase: string;
  /** Seats that people hold. */
  readonly players: number;
  readonly bots: number;
  readonly max_players: number;
}

export interface AdminReport {
  readonly server: ServerTotals;
  readonly matches: readonly AdminMatch[];
  readonly elsewhere: readonly MatchElsewhere[];
}

/** Somebody who has a seat in a match. */
export interface Person {
  readonly seat: number;
  readonly name: string;
  /** Tells who it is; no secret. */
  readonly session: string;
  readonly presence: 'expected' | 'here' | 'idle' | 'away';
  /** Where they are connected from; null if they are not. */
  readonly address: string | null;
  /** What a ban of that address is for. */
  readonly network: string | null;
}

export interface Ban {
  readonly id: number;
  readonly session: string | null;
  readonly network: string | null;
  readonly name: string;
  readonly reason: string;
  readonly since_ms: number;
  /** Null until it is lifted. */
  readonly expires_ms: number | null;
}

export interface NewBan {
  readonly session?: string;
  readonly network?: string;
  readonly name: string;
  /** Absent until it is lifted. */
  readonly seconds?: number;
  readonly reason: string;
}

/** Something an operator did. */
export interface AuditEntry {
  readonly at_ms: number;
  readonly client: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string;
}

const TOKEN_KEY = 'tickwire.admin-token';

/** Takes the token out of the address bar, so that it is in no screenshot, and keeps it for this tab's reloads. */
export function takeToken(): string | null {
  const fromHash = new URLSearchParams(window.location.hash.slice(1)).get('token');
  try {
    if (fromHash !== null && fromHash !== '') {
      window.sessionStorage.setItem(TOKEN_KEY, fromHash);
      window.history.replaceState(null, '', window.location.pathname);
      return fromHash;
    }
    return window.sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return fromHash;
  }
}

export class AdminApi {
  private readonly api = new Api(document.baseURI);
  private readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  report(): Promise<AdminReport> {
    return this.api.request<AdminReport>('GET', 'api/matches', undefined, this.token);
  }

  async people(matchId: string): Promise<readonly Person[]> {
    const path = `api/matches/${encodeURIComponent(matchId)}/players`;
    return (await this.api.request<{ players: readonly Person[] }>('GET', path, undefined, this.token)).players;
  }

  async kick(matchId: string, session: string, reason: string): Promise<void> {
    const path = `api/matches/${encodeURIComponent(matchId)}/kick`;
    await this.api.request('POST', path, { session, reason }, this.token);
  }

  async bans(): Promise<readonly Ban[]> {
    return (await this.api.request<{ bans: readonly Ban[] }>('GET', 'api/bans', undefined, this.token)).bans;
  }

  async ban(ban: NewBan): Promise<void> {
    await this.api.request('POST', 'api/bans', ban, this.token);
  }

  async lift(id: number): Promise<void> {
    await this.api.request('DELETE', `api/bans/${String(id)}`, undefined, this.token);
  }

  async audit(): Promise<readonly AuditEntry[]> {
    return (await this.api.request<{ entries: readonly AuditEntry[] }>('GET', 'api/audit', undefined, this.token))
      .entries;
  }

  /** Browsers cannot set a header on a WebSocket, so the token travels as a subprotocol. */
  spectate(matchId: string): WebSocket {
    const url = new URL(`api/matches/${encodeURIComponent(matchId)}/spectate`, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, ['tickwire.spectate', `bearer.${this.token}`]);
  }
}
