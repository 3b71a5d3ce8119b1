import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Account, ApiError, type GameInfo } from '@tickwire/client';
import { SignIn, type TokenSource } from './sign-in';
import { PageStorage } from './storage';
import { stores } from './testing';

const INFO: GameInfo = { game: 'arena', protocol: 3, schema: '', grace_s: 300, modes: [] };

/** A page at the server's door: what it shows there, and what comes of it. */
function page(source?: TokenSource): {
  readonly signIn: SignIn;
  readonly storage: PageStorage;
  readonly shown: string[];
  readonly names: (string | null)[];
  readonly left: string[];
  answer: Account | ApiError;
} {
  const storage = new PageStorage(stores());
  const [shown, names, left]: [string[], (string | null)[], string[]] = [[], [], []];
  const api = {
    renewSession: (token: string): Promise<Account> => {
      shown.push(token);
      const { answer } = all;
      return answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const signIn = new SignIn({
    api,
    storage,
    source: () => source,
    leave: (url) => left.push(url),
    onChange: (name) => names.push(name),
  });
  const all = { signIn, storage, shown, names, left, answer: { name: 'Ada', expires_in_s: 60 } as Account | ApiError };
  return all;
}

const refused = new ApiError('session_expired', 401, '');

describe('SignIn', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('takes a token out of the address, and leaves other addresses alone', async () => {
    const { signIn, storage, shown, names } = page();
    expect(signIn.takeFrom('https://play.example/?join=K7Q2MD#tickwire-token=a.b-c_d.e')).toBe(
      'https://play.example/?join=K7Q2MD',
    );
    expect(signIn.takeFrom('https://play.example/#other')).toBe('https://play.example/#other');
    expect(storage.account).toBe('a.b-c_d.e');
    expect(await signIn.renew()).toBe(true);
    expect([shown, names]).toEqual([['a.b-c_d.e'], ['Ada']]);
  });

  it('asks its source again in time, and as long as there is one', async () => {
    let nth = 0;
    const { signIn, shown } = page(() => Promise.resolve(`token ${(nth += 1)}`));
    expect(await signIn.renew()).toBe(true);
    await vi.advanceTimersByTimeAsync(39_000);
    expect(shown).toEqual(['token 1']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(shown).toEqual(['token 1', 'token 2']);
    await vi.advanceTimersByTimeAsync(41_000);
    expect(shown).toHaveLength(3);
  });

  it('asks once at a time, and not again at once', async () => {
    const { signIn, shown } = page(() => Promise.resolve('token'));
    await Promise.all([signIn.renew(), signIn.renew()]);
    expect(await signIn.renewAgain()).toBe(false);
    expect(shown).toEqual(['token']);
    vi.advanceTimersByTime(2_001);
    expect(await signIn.renewAgain()).toBe(true);
  });

  it('forgets a token that the server takes no more, but not for a server that is away', async () => {
    const all = page();
    all.storage.account = 'token';
    all.answer = new ApiError('unreachable', 0, '');
    expect(await all.signIn.renew()).toBe(false);
    expect(all.signIn.isSignedIn).toBe(true);
    all.answer = refused;
    expect(await all.signIn.renew()).toBe(false);
    expect([all.signIn.isSignedIn, all.names]).toEqual([false, [null]]);
  });

  it('has another token than the refused one, or none', async () => {
    const tokens: (string | null)[] = ['old', 'new', null];
    const { signIn } = page(() => Promise.resolve(tokens.shift() ?? null));
    expect(await signIn.another('old')).toBeNull();
    expect(await signIn.another('old')).toBe('new');
    expect(await signIn.another('old')).toBeNull();
    expect(await page(() => Promise.reject(new Error('away'))).signIn.token()).toBeNull();
  });

  it('sends the player where one signs in, and from there back', () => {
    const { signIn, left } = page();
    signIn.go('https://play.example/');
    signIn.info = { ...INFO, accounts: false, sign_in_url: 'https://id.example/login' };
    signIn.go('https://play.example/');
    expect([left, signIn.hasPlace]).toEqual([[], false]);
    signIn.info = { ...INFO, accounts: true, sign_in_url: 'https://id.example/login?app=tickwire' };
    signIn.go('https://play.example/?join=K7Q2MD');
    expect(left).toEqual([
      'https://id.example/login?app=tickwire&return_to=https%3A%2F%2Fplay.example%2F%3Fjoin%3DK7Q2MD',
    ]);
  });
});
