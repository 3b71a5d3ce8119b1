// Gets a seat over HTTP: a guest session when there is none or the old one is gone, then the match.
import { type Api, ApiError, type Join, type MatchSettings } from '@tickwire/client';
import type { SignIn } from './sign-in';
import type { PageStorage } from './storage';

export type PlayRequest =
  | { readonly kind: 'quick' }
  | { readonly kind: 'create'; readonly isPrivate: boolean }
  /** With settings, a match that the server has forgotten is created anew under its code. */
  | { readonly kind: 'join'; readonly idOrCode: string; readonly recreate?: MatchSettings | null };

/** Refusals that another token mends. */
const SIGN_IN_OVER = new Set(['session_expired', 'sign_in_refused']);

export class Seats {
  private readonly api: Api;
  private readonly storage: PageStorage;
  private readonly account: Pick<SignIn, 'token' | 'another'> | null;
  private gone = 0;

  constructor(api: Api, storage: PageStorage, account: Pick<SignIn, 'token' | 'another'> | null = null) {
    this.api = api;
    this.storage = storage;
    this.account = account;
  }

  /** How often the server did not know the guest session any more: so often it has restarted. */
  get sessionsGone(): number {
    return this.gone;
  }

  async take(name: string, request: PlayRequest, mode: string): Promise<Join> {
    const token = (await this.account?.token()) ?? null;
    return token === null ? this.takeAsGuest(name, request, mode) : this.takeAsHolder(token, request, mode);
  }

  /** With what the player signed in with, or what came after it. */
  private async takeAsHolder(token: string, request: PlayRequest, mode: string): Promise<Join> {
    try {
      return await this.request(token, request, mode);
    } catch (error) {
      if (!(error instanceof ApiError) || !SIGN_IN_OVER.has(error.code)) throw error;
      const another = await this.account?.another(token);
      if (another === null || another === undefined) throw error;
      return this.request(another, request, mode);
    }
  }

  private async takeAsGuest(name: string, request: PlayRequest, mode: string): Promise<Join> {
    const stored = this.storage.session;
    if (stored?.requestedName === name) {
      try {
        return await this.request(stored.token, request, mode);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'session_required') throw error;
        this.storage.session = null;
        this.gone += 1;
      }
    }
    const { token, name: cleaned } = await this.api.createSession(name);
    const session = { token, requestedName: name, name: cleaned };
    this.storage.session = session;
    return this.request(token, request, mode);
  }

  private request(token: string, request: PlayRequest, mode: string): Promise<Join> {
    switch (request.kind) {
      case 'quick':
        return this.api.quickPlay(token, mode);
      case 'create':
        return this.api.createMatch(token, { mode, private: request.isPrivate, lobby: true, bots: true });
      case 'join':
        return this.api.joinMatch(token, request.idOrCode, request.recreate);
    }
  }
}
