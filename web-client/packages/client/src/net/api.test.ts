import { describe, expect, it } from 'vitest';
import { Api, ApiError } from './api';

const BASE = 'https://play.example/games/arena/?join=K7Q2MD';

function apiAnswering(status: number, body: unknown, headers: Record<string, string> = {}): Api {
  return new Api(BASE, () => Promise.resolve(new Response(JSON.stringify(body), { status, headers })));
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error('expected an ApiError');
  return error;
}

describe('Api', () => {
  it('sends the token and the body as the server wants them', async () => {
    let seen: { url: string; init: RequestInit | undefined } | null = null;
    const api = new Api(BASE, (url, init) => {
      seen = { url: url as string, init };
      return Promise.resolve(new Response('{"code":"K7Q2MD"}'));
    });
    await api.joinMatch('abc', 'K7/Q2');
    expect(seen).toMatchObject({
      url: 'https://play.example/games/arena/api/matches/K7%2FQ2/join',
      init: {
        method: 'POST',
        body: '{}',
        headers: { authorization: 'Bearer abc', 'content-type': 'application/json' },
      },
    });
  });

  it('recreates a match that the server has forgotten, if it is told how', async () => {
    const bodies: unknown[] = [];
    const api = new Api(BASE, (_, init) => {
      bodies.push(JSON.parse(init?.body as string));
      return Promise.resolve(new Response('{"code":"K7Q2MD"}'));
    });
    const settings = { mode: 'ffa', private: true, lobby: true, bots: false };
    await api.joinMatch('abc', 'K7Q2MD', settings);
    await api.createMatch('abc', settings);
    expect(bodies).toEqual([{ recreate: settings }, settings]);
  });

  it('learns why a WebSocket would be refused', async () => {
    const api = new Api(BASE, () => Promise.resolve(new Response(null, { status: 204 })));
    await expect(api.connectCheck()).resolves.toBeUndefined();
    const refused = apiAnswering(403, { code: 'origin_not_allowed', detail: 'No.' });
    expect(await failure(refused.connectCheck())).toMatchObject({ code: 'origin_not_allowed', detail: 'No.' });
  });

  it('has the code of the problem and the own sentence of the server', async () => {
    const error = await failure(
      apiAnswering(409, { title: 'Conflict', status: 409, detail: 'seats 16/16', code: 'match_full' }).matches(),
    );
    expect(error).toMatchObject({ code: 'match_full', status: 409, detail: 'seats 16/16' });
  });

  it('says how long to wait', async () => {
    const error = await failure(
      apiAnswering(429, { code: 'rate_limited' }, { 'retry-after': '7' }).quickPlay('t', 'ffa'),
    );
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterS: 7 });
  });

  it('understands a proxy without a server behind it, and no server at all', async () => {
    const proxy = new Api(BASE, () => Promise.resolve(new Response('<h1>Bad gateway</h1>', { status: 502 })));
    expect((await failure(proxy.info())).code).toBe('unreachable');
    const files = new Api(BASE, () => Promise.resolve(new Response('<h1>Arena</h1>')));
    expect((await failure(files.info())).code).toBe('unreachable');
    const nobody = new Api(BASE, () => Promise.reject(new TypeError('failed to fetch')));
    expect((await failure(nobody.info())).code).toBe('unreachable');
    const slow = new Api(BASE, () => Promise.reject(new DOMException('late', 'TimeoutError')));
    expect((await failure(slow.info())).code).toBe('timeout');
  });
});
