// The HTTP API: guest sessions, matches and tickets. Every failure becomes an `ApiError` with a stable code.
import type { Phase } from '../replica/generated';

export interface MatchSummary {
  readonly id: string;
  readonly mode: string;
  readonly phase: Phase;
  readonly players: number;
  readonly bots: number;
  readonly max_players: number;
}

/** What the creator of a match chose. */
export interface MatchSettings {
  readonly mode: string;
  /** Only its code leads to it. */
  readonly private: boolean;
  /** It waits until its players want it to start. */
  readonly lobby: boolean;
  readonly bots: boolean;
}

export interface Join {
  readonly match: MatchSummary;
  readonly code: string;
  readonly settings: MatchSettings;
  readonly ticket: string;
  readonly expires_in_s: number;
  readonly ws_url: string;
  /** Other servers' addresses that lead to the seat. */
  readonly alternates?: readonly string[];
}

export interface GameInfo {
  readonly game: string;
  readonly protocol: number;
  readonly schema: string;
  /** Whether whoever gives a name may play. */
  readonly guests?: boolean;
  /** Whether people with an account may. */
  readonly accounts?: boolean;
  /** Where they sign in. */
  readonly sign_in_url?: string;
  /** Seconds for which a seat is kept whose connection is lost. */
  readonly grace_s: number;
  readonly modes: readonly {
    readonly id: string;
    readonly title: string;
    readonly max_players: number;
    readonly tick_rate: number;
  }[];
}

export interface GuestSession {
  readonly token: string;
  readonly name: string;
}

/** Whom the server knows, and for how long if there is an end to it. */
export interface Account {
  readonly name: string;
  readonly expires_in_s?: number;
}

export class ApiError extends Error {
  readonly code: string;
  /** 0 when no answer came. */
  readonly status: number;
  /** The server's own sentence; empty if it gave none. */
  readonly detail: string;
  readonly retryAfterS: number | null;

  constructor(code: string, status: number, detail: string, retryAfterS: number | null = null) {
    super(detail === '' ? code : detail);
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }
}

const TIMEOUT_MS = 10_000;
const NO_CONTENT = 204;

export class Api {
  private readonly fetcher: typeof fetch;
  private readonly base: string;

  /** The server's `api/` is found at `base`, which ends with a slash or is a page beside it. */
  constructor(base: string, fetcher: typeof fetch = (input, init) => fetch(input, init)) {
    this.base = base;
    this.fetcher = fetcher;
  }

  info(): Promise<GameInfo> {
    return this.request<GameInfo>('GET', 'api/info');
  }

  createSession(name: string): Promise<GuestSession> {
    return this.request<GuestSession>('POST', 'api/session', { name });
  }

  /** Shows the server the newest token of an account: it goes by that one from then on. */
  renewSession(token: string): Promise<Account> {
    return this.request<Account>('POST', 'api/session/renew', undefined, token);
  }

  async matches(): Promise<readonly MatchSummary[]> {
    return (await this.request<{ matches: readonly MatchSummary[] }>('GET', 'api/matches')).matches;
  }

  createMatch(token: string, settings: MatchSettings): Promise<Join> {
    return this.request<Join>('POST', 'api/matches', settings, token);
  }

  /** With settings, a match that is unknown is created under this code: the server has restarted since. */
  joinMatch(token: string, idOrCode: string, recreate: MatchSettings | null = null): Promise<Join> {
    const body = recreate ? { recreate } : {};
    return this.request<Join>('POST', `api/matches/${encodeURIComponent(idOrCode)}/join`, body, token);
  }

  quickPlay(token: string, mode: string): Promise<Join> {
    return this.request<Join>('POST', 'api/quick-play', { mode }, token);
  }

  /** Fails with the reason for which the server would refuse this page's WebSocket, which browsers do not tell. */
  async connectCheck(): Promise<void> {
    await this.request('POST', 'api/connect-check');
  }

  /** One request; `path` is relative to the base. The answer's shape is taken as it is: both sides are of one repository. */
  async request<T>(method: string, path: string, body?: unknown, token?: string): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    // What is read is asked for anew each time; a server that knows it to be the same need not send it again.
    const cache = method === 'GET' ? 'no-cache' : 'no-store';
    const init: RequestInit = { method, headers, cache, signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (body !== undefined) init.body = JSON.stringify(body);
    let response: Response;
    try {
      response = await this.fetcher(new URL(path, this.base).href, init);
    } catch (error) {
      const code = error instanceof DOMException && error.name === 'TimeoutError' ? 'timeout' : 'unreachable';
      throw new ApiError(code, 0, '');
    }
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw apiError(response, answer);
    // Something else answers at the server's address, such as a host of static files.
    if (answer === null && response.status !== NO_CONTENT) {
      throw new ApiError('unreachable', response.status, '');
    }
    return answer as T;
  }
}

function apiError(response: Response, problem: unknown): ApiError {
  const text = (key: string): string => {
    const value =
      typeof problem === 'object' && problem !== null ? (problem as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const retryAfterS = Number.isNaN(retryAfter) ? null : retryAfter;
  // A proxy in front of the server answers 502-504 in its own words while the server is away.
  const code = text('code') || (response.status >= 502 && response.status <= 504 ? 'unreachable' : 'unknown');
  return new ApiError(code, response.status, text('detail') || text('title'), retryAfterS);
}
