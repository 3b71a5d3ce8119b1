// The admin listener's API. The token comes from the address bar's hash, which browsers send to nobody.
import { Api } from '../net/api';

export interface ServerTotals {
  readonly uptime_s: number;
  readonly connections: number;
  readonly matches: number;
  readonly workers: number;
}

export interface AdminMatch {
  readonly id: string;
  readonly code: string;
  readonly mode: string;
  readonly phase: string;
  readonly tick: number;
  readonly tick_rate: number;
  readonly players: number;
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

export interface AdminReport {
  readonly server: ServerTotals;
  readonly matches: readonly AdminMatch[];
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

  /** Browsers cannot set a header on a WebSocket, so the token travels as a subprotocol. */
  spectate(matchId: string): WebSocket {
    const url = new URL(`api/matches/${encodeURIComponent(matchId)}/spectate`, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, ['tickwire.spectate', `bearer.${this.token}`]);
  }
}
