import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './backoff';
import { Connection, type ConnectionState, type Credential } from './connection';
import { FakeReplica, FakeSocket, welcome } from './fakes';

interface Bench {
  readonly connection: Connection;
  readonly sockets: FakeSocket[];
  readonly states: () => string[];
  readonly last: () => ConnectionState;
  readonly snapshots: () => number;
}

function bench(credential: Credential = { kind: 'ticket', ticket: 't1' }): Bench {
  const sockets: FakeSocket[] = [];
  const states: ConnectionState[] = [];
  let snapshots = 0;
  const connection = new Connection({
    replica: new FakeReplica(),
    credential,
    openSocket: () => {
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
});
