import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './backoff';
import { Connection, type ConnectionState, type Credential } from './connection';
import { FakeReplica, FakeSocket, welcome } from '../testing';
import { Route } from './route';

interface Bench {
  readonly connection: Connection;
  readonly sockets: FakeSocket[];
  readonly states: () => string[];
  readonly last: () => ConnectionState;
  readonly snapshots: () => number;
  /** Where the sockets went. */
  readonly urls: string[];
}

function bench(
  credential: Credential = { kind: 'ticket', ticket: 't1' },
  alternates: readonly string[] | null = null,
): Bench {
  const options = { wsUrl: 'wss://a.example/ws?guest=5c', base: 'https://a.example/', isSecure: true, random: () => 1 };
  const route = alternates && new Route({ ...options, alternates });
  const urls: string[] = [];
  const sockets: FakeSocket[] = [];
  const states: ConnectionState[] = [];
  let snapshots = 0;
  const connection = new Connection({
    replica: new FakeReplica(),
    credential,
    ...(route && { route }),
    openSocket: () => {
      urls.push(route?.socketUrl ?? '');
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onState: (state) => states.push(state),
    onControl: () => undefined,
    onSnapshot: () => {
      snapshots += 1;
    },
    now: () => Date.now(),
    backoff: new Backoff({ baseMs: 1_000, maxMs: 8_000, random: () => 1 }),
  });
  connection.start();
  return {
    connection,
    sockets,
    states: () => states.map((state) => state.kind),
    last: () => connection.state,
    snapshots: () => snapshots,
    urls,
  };
}

function at(sockets: readonly FakeSocket[], index: number): FakeSocket {
  const socket = sockets[index];
  if (!socket) throw new Error(`no socket ${index}`);
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Connection', () => {
  it('says Hello with the ticket and is live from the Welcome on', () => {
    const { sockets, states, snapshots } = bench();
    at(sockets, 0).open();
    expect(at(sockets, 0).sent).toEqual(['ticket t1']);
    at(sockets, 0).receive({ controls: [welcome('r1')], snapshot: true });
    expect(states()).toEqual(['connecting', 'live']);
    expect(snapshots()).toBe(1);
  });

  it('comes back with the newest token after a loss', () => {
    const { sockets, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    at(sockets, 0).drop();
    expect(last()).toMatchObject({ kind: 'waiting', attempt: 1 });
    vi.advanceTimersByTime(1_000);
    at(sockets, 1).open();
    expect(at(sockets, 1).sent).toEqual(['resume m1 r1']);
    at(sockets, 1).receive({ controls: [welcome('r2')] });
    at(sockets, 1).drop();
    vi.advanceTimersByTime(1_000);
    at(sockets, 2).open();
    expect(at(sockets, 2).sent).toEqual(['resume m1 r2']);
  });

  it('waits longer each time, and not at all when told to', () => {
    const { sockets, connection } = bench();
    at(sockets, 0).drop();
    vi.advanceTimersByTime(1_000);
    at(sockets, 1).drop();
    vi.advanceTimersByTime(1_999);
    expect(sockets).toHaveLength(2);
    connection.retryNow();
    expect(sockets).toHaveLength(3);
    vi.advanceTimersByTime(7_000);
    expect(sockets, 'the timer that was overtaken is off').toHaveLength(3);
  });

  it('abandons a socket that hangs when told to retry, in every state', () => {
    const { sockets, connection, last } = bench();
    connection.retryNow();
    expect(at(sockets, 0).closed, 'it was still opening').toBe(true);
    at(sockets, 1).open();
    connection.retryNow();
    expect(at(sockets, 1).closed, 'it was open, but without a Welcome').toBe(true);
    at(sockets, 2).open();
    at(sockets, 2).receive({ controls: [welcome('r1')], snapshot: true });
    connection.retryNow();
    expect(last().kind, 'something came just now').toBe('live');
    vi.advanceTimersByTime(2_000);
    connection.retryNow();
    at(sockets, 3).open();
    expect(at(sockets, 3).sent, 'it was live, but silent').toEqual(['resume m1 r1']);
    connection.close();
    connection.retryNow();
    expect(sockets).toHaveLength(4);
  });

  it('knows when it tried a socket that never opened, until one does', () => {
    const { sockets, connection } = bench();
    const start = Date.now();
    expect(connection.trouble).toMatchObject({ failedMs: null, openingMs: start });
    at(sockets, 0).drop();
    expect(connection.trouble).toMatchObject({ failedMs: start, openingMs: null });
    vi.advanceTimersByTime(1_000);
    expect(connection.trouble).toMatchObject({ failedMs: start, openingMs: start + 1_000 });
    // This one hangs until it is given up.
    vi.advanceTimersByTime(9_000);
    expect(connection.trouble.failedMs).toBe(start + 1_000);
    connection.retryNow();
    sockets.at(-1)?.open();
    expect(connection.trouble).toMatchObject({ failedMs: null, openingMs: null });
    sockets.at(-1)?.receive({ controls: [welcome('r1')] });
    sockets.at(-1)?.drop();
    expect(connection.trouble.failedMs, 'this one was open').toBeNull();
  });

  it('goes on trying where the browser forbids the socket', () => {
    const states: string[] = [];
    const connection = new Connection({
      replica: new FakeReplica(),
      credential: { kind: 'ticket', ticket: 't1' },
      openSocket: () => {
        throw new DOMException('forbidden', 'SecurityError');
      },
      onState: (state) => states.push(state.kind),
      onControl: () => undefined,
      onSnapshot: () => undefined,
      now: () => Date.now(),
    });
    connection.start();
    expect(states).toEqual(['connecting', 'waiting']);
    expect(connection.trouble.failedMs).not.toBeNull();
  });

  it('pauses after it was closed for its rate, and keeps the seat', () => {
    const { sockets, connection, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1'), { type: 'closing', reason: 'rate_limited' }] });
    expect(last().kind).toBe('waiting');
    expect(connection.trouble.reason).toBe('rate_limited');
    vi.advanceTimersByTime(2_900);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(200);
    at(sockets, 1).open();
    expect(at(sockets, 1).sent).toEqual(['resume m1 r1']);
    at(sockets, 1).receive({ controls: [welcome('r2')] });
    expect(connection.trouble.reason).toBeNull();
  });

  it('takes silence for a loss', () => {
    const { sockets, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    vi.advanceTimersByTime(4_000);
    expect(last().kind).toBe('live');
    vi.advanceTimersByTime(1_000);
    expect(at(sockets, 0).closed).toBe(true);
    expect(last().kind).not.toBe('live');
  });

  it.each(['match_over', 'replaced', 'bad_resume', 'wrong_schema'])('is over after %s', (reason) => {
    const { sockets, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1'), { type: 'closing', reason }] });
    expect(last()).toEqual({ kind: 'closed', reason });
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it.each([{ type: 'closing', reason: 'too_slow' } as const, { type: 'desync', tick: 5, table: 'fighter' } as const])(
    'resumes the seat after $type',
    (record) => {
      vi.spyOn(console, 'warn').mockReturnValue(undefined);
      const { sockets } = bench();
      at(sockets, 0).open();
      at(sockets, 0).receive({ controls: [welcome('r1'), record] });
      vi.advanceTimersByTime(1_000);
      at(sockets, 1).open();
      expect(at(sockets, 1).sent).toEqual(['resume m1 r1']);
    },
  );

  it('gives up on bytes it cannot read', () => {
    const { sockets, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).receive('garbage');
    expect(last()).toEqual({ kind: 'closed', reason: 'unreadable' });
  });

  it('gives up on text: there is none in this protocol', () => {
    const { sockets, last } = bench();
    at(sockets, 0).open();
    at(sockets, 0).onmessage?.({ data: 'x'.repeat(1_000) });
    expect(last()).toEqual({ kind: 'closed', reason: 'unreadable' });
    expect(at(sockets, 0).closed).toBe(true);
  });

  it('sends nothing while it is not live', () => {
    const { sockets, connection } = bench();
    at(sockets, 0).open();
    expect(connection.send(new Uint8Array([1]))).toBe(false);
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    expect(connection.send(new Uint8Array([1]))).toBe(true);
    connection.close();
    expect(connection.send(new Uint8Array([1]))).toBe(false);
    expect(at(sockets, 0).closed).toBe(true);
  });

  it('watches without a Hello', () => {
    const { sockets } = bench({ kind: 'none' });
    at(sockets, 0).open();
    expect(at(sockets, 0).sent).toEqual([]);
  });

  it('goes where it is told to at once, in a match and in the place of Welcome, with the credential it has', () => {
    const { sockets, urls, last } = bench(undefined, []);
    const migrate = (url: string) => ({ type: 'migrate', url }) as const;
    const moved = { type: 'closing', reason: 'moved' } as const;
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [migrate('wss://b.example/ws'), moved] });
    expect(last()).toMatchObject({ kind: 'waiting', retryAtMs: Date.now() });
    vi.advanceTimersByTime(0);
    at(sockets, 1).open();
    expect(at(sockets, 1).sent).toEqual(['ticket t1']);
    at(sockets, 1).receive({ controls: [welcome('r1')] });
    // The server that says so may be gone before it has said why.
    at(sockets, 1).receive({ controls: [migrate('wss://c.example/n/c/ws?guest=77')] });
    at(sockets, 1).drop();
    vi.advanceTimersByTime(0);
    at(sockets, 2).open();
    expect(at(sockets, 2).sent).toEqual(['resume m1 r1']);
    expect(urls.slice(1)).toEqual(['wss://b.example/ws?guest=5c', 'wss://c.example/n/c/ws?guest=77']);
  });

  it('is not sent in circles: after four moves without a Welcome it waits', () => {
    const { sockets } = bench(undefined, []);
    const counts = [];
    for (let nth = 0; nth < 6; nth += 1) {
      at(sockets, nth).open();
      const wsUrl = `wss://${nth % 2 === 0 ? 'b' : 'a'}.example/ws`;
      at(sockets, nth).receive({
        controls: [
          { type: 'migrate', url: wsUrl },
          { type: 'closing', reason: 'moved' },
        ],
      });
      vi.advanceTimersByTime(0);
      counts.push(sockets.length);
      vi.advanceTimersByTime(400);
    }
    expect(counts).toEqual([2, 3, 4, 5, 5, 6]);
  });

  it.each([
    'ws://b.example/ws',
    'http://b.example/ws',
    'javascript:alert(1)',
    'wss://me@b.example/ws',
    'wss://b.example/ws#part',
  ])('does not go to %s from a page that came by https', (wsUrl) => {
    const { sockets, urls, last } = bench(undefined, []);
    at(sockets, 0).open();
    at(sockets, 0).receive({
      controls: [
        { type: 'migrate', url: wsUrl },
        { type: 'closing', reason: 'moved' },
      ],
    });
    expect(last()).toMatchObject({ kind: 'waiting', retryAtMs: Date.now() + 1_000 });
    vi.advanceTimersByTime(1_000);
    expect(new Set(urls.map((url) => new URL(url).protocol))).toEqual(new Set(['wss:']));
  });

  it('goes round when a server is lost: first where it was, then the others, with short pauses', () => {
    const { sockets, urls, connection } = bench(undefined, ['wss://b.example/ws', 'wss://c.example/ws?guest=9']);
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    at(sockets, 0).drop();
    for (const nth of [1, 2, 3]) {
      vi.advanceTimersByTime(320);
      expect(sockets).toHaveLength(nth + 1);
      if (nth < 3) at(sockets, nth).drop();
    }
    expect(urls.map((url) => new URL(url).host[0]).join('')).toBe('aabc');
    // Nobody has the match yet: the same one is asked again.
    at(sockets, 3).open();
    at(sockets, 3).receive({ controls: [{ type: 'closing', reason: 'restarting' }] });
    vi.advanceTimersByTime(320);
    at(sockets, 4).open();
    at(sockets, 4).receive({ controls: [welcome('r2')] });
    at(sockets, 4).drop();
    vi.advanceTimersByTime(320);
    expect(urls.slice(4)).toEqual(['wss://c.example/ws?guest=9', 'wss://c.example/ws?guest=9']);
    connection.close();
  });

  it('shows the credential before when nobody knows the newest, once, and where there are several servers only', () => {
    const { sockets, last } = bench(undefined, ['wss://b.example/ws']);
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    at(sockets, 0).drop();
    vi.advanceTimersByTime(320);
    at(sockets, 1).open();
    // Its server is another one's prey by now.
    at(sockets, 1).receive({ controls: [welcome('r2')] });
    at(sockets, 1).drop();
    for (const [nth, hello] of [
      [2, 'resume m1 r2'],
      [3, 'resume m1 r1'],
    ] as const) {
      vi.advanceTimersByTime(320);
      at(sockets, nth).open();
      expect(at(sockets, nth).sent).toEqual([hello]);
      at(sockets, nth).receive({ controls: [{ type: 'closing', reason: 'bad_resume' }] });
    }
    expect(last()).toEqual({ kind: 'closed', reason: 'bad_resume' });
  });

  it('notices a silent server sooner where others may have the match', () => {
    const { sockets } = bench(undefined, ['wss://b.example/ws']);
    at(sockets, 0).open();
    at(sockets, 0).receive({ controls: [welcome('r1')] });
    vi.advanceTimersByTime(2_500);
    expect(at(sockets, 0).closed).toBe(true);
  });
});
