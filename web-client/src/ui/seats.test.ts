import { describe, expect, it } from 'vitest';
import { Api } from '@tickwire/client';
import { Seats } from './seats';
import { PageStorage } from './storage';
import { stores } from './testing';

/** A server that knows one session token at a time and forgets it when it restarts. */
class FakeServer {
  known = '';
  calls: string[] = [];
  refusal = 'session_required';
  private made = 0;

  readonly fetch: typeof fetch = (input, init) => {
    const path = new URL(input as string).pathname;
    this.calls.push(path);
    if (path === '/api/session') {
      this.made += 1;
      this.known = `s${this.made}`;
      return Promise.resolve(Response.json({ token: this.known, name: 'Ada' }, { status: 201 }));
    }
    const { authorization } = (init?.headers ?? {}) as Record<string, string>;
    return authorization === `Bearer ${this.known}`
      ? Promise.resolve(Response.json({ code: 'K7Q2MD' }))
      : Promise.resolve(Response.json({ code: this.refusal }, { status: 401 }));
  };
}

describe('Seats', () => {
  it('makes a session once and reuses it', async () => {
    const server = new FakeServer();
    const seats = new Seats(new Api('https://play.example/', server.fetch), new PageStorage(stores()));
    await seats.take('Ada', { kind: 'quick' }, 'ffa');
    await seats.take('Ada', { kind: 'join', idOrCode: 'K7Q2MD' }, 'ffa');
    expect(server.calls).toEqual(['/api/session', '/api/quick-play', '/api/matches/K7Q2MD/join']);
  });

  it('makes another for another name', async () => {
    const server = new FakeServer();
    const seats = new Seats(new Api('https://play.example/', server.fetch), new PageStorage(stores()));
    await seats.take('Ada', { kind: 'quick' }, 'ffa');
    await seats.take('Bo', { kind: 'create', isPrivate: true }, 'ffa');
    expect(seats.sessionsGone).toBe(0);
    expect(server.calls.filter((path) => path === '/api/session')).toHaveLength(2);
  });

  it('notices a restarted server and starts over', async () => {
    const server = new FakeServer();
    const seats = new Seats(new Api('https://play.example/', server.fetch), new PageStorage(stores()));
    await seats.take('Ada', { kind: 'quick' }, 'ffa');
    server.known = '';
    const join = await seats.take('Ada', { kind: 'quick' }, 'ffa');
    expect(seats.sessionsGone).toBe(1);
    expect(join.code).toBe('K7Q2MD');
  });

  it('goes by what the player signed in with, and by what came after it', async () => {
    const server = new FakeServer();
    server.known = 'new';
    const asked: string[] = [];
    const account = {
      token: () => Promise.resolve('old'),
      another: (refused: string) => {
        asked.push(refused);
        return Promise.resolve('new');
      },
    };
    server.refusal = 'session_expired';
    const seats = new Seats(new Api('https://play.example/', server.fetch), new PageStorage(stores()), account);
    expect((await seats.take('Ada', { kind: 'quick' }, 'ffa')).code).toBe('K7Q2MD');
    expect([asked, server.calls]).toEqual([['old'], ['/api/quick-play', '/api/quick-play']]);
    await expect(
      new Seats(new Api('https://play.example/', server.fetch), new PageStorage(stores()), {
        ...account,
        another: () => Promise.resolve(null),
      }).take('Ada', { kind: 'quick' }, 'ffa'),
    ).rejects.toMatchObject({ code: 'session_expired' });
  });
});
