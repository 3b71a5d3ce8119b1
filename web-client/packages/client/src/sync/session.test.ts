import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FAKE_GAME, FakeReplica, FakeSocket, welcome } from '../testing';
import { MatchSession } from './session';

const MS_PER_TICK = 1000 / 30;

/** A session whose server is driven by hand, on a clock that the test moves. */
class Bench {
  readonly replica = new FakeReplica();
  readonly sockets: FakeSocket[] = [];
  held: readonly number[] = [0];
  /** The game's events, as the listener was told them. */
  readonly told: unknown[] = [];
  readonly session: MatchSession<readonly number[], unknown>;

  constructor() {
    vi.useFakeTimers({ now: 10_000 });
    vi.spyOn(Math, 'random').mockReturnValue(0.2);
    this.session = new MatchSession({
      replica: this.replica,
      credential: { kind: 'ticket', ticket: 't1' },
      openSocket: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket;
      },
      listener: {
        state: () => undefined,
        welcome: () => undefined,
        results: () => undefined,
        roster: () => undefined,
        game: (event) => this.told.push(event),
      },
      game: FAKE_GAME,
      teleport: 10_000,
      readInput: () => this.held,
      now: () => Date.now(),
    });
    this.session.start();
    this.socket.open();
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket');
    return socket;
  }

  /** Ticks of the match, each with a snapshot and two frames. The body is at x = 10 * tick. */
  play(from: number, to: number): void {
    for (let tick = from; tick < to; tick += 1) {
      this.replica.body = Int32Array.of(10 * tick, 0);
      this.socket.receive({ snapshot: true, tick });
      for (let frame = 0; frame < 2; frame += 1) {
        this.frame();
        vi.advanceTimersByTime(MS_PER_TICK / 2);
      }
    }
  }

  frame(): { readonly others: number | null; readonly own: number | null } {
    this.session.frame(Date.now());
    const others = this.session.sample(Date.now())?.tick ?? null;
    return { others, own: this.session.predicted(Date.now())?.place[0] ?? null };
  }

  /** The connection drops and another one opens. */
  reconnect(afterMs = 300): void {
    this.socket.drop();
    vi.advanceTimersByTime(afterMs);
    this.socket.open();
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('MatchSession', () => {
  it('goes on drawing from where it was when the same seat is resumed', () => {
    bench.socket.receive({ controls: [welcome('r1')] });
    bench.play(100, 130);
    const before = bench.frame();
    bench.reconnect();
    bench.socket.receive({ controls: [welcome('r2', { tick: 139 })] });
    expect(bench.frame().others, 'nobody goes away').toBeCloseTo(before.others ?? 0, 0);
    bench.replica.body = Int32Array.of(1_390, 0);
    bench.socket.receive({ snapshot: true, tick: 139 });
    const after = bench.frame();
    expect(Math.abs((after.own ?? 0) - (before.own ?? 0)), 'the own body slides').toBeLessThan(30);
    expect((after.others ?? 0) - (before.others ?? 0), 'and so do the others').toBeLessThan(5);
    bench.play(140, 150);
    expect(bench.frame().others).toBeGreaterThan(147);
    expect(bench.frame().own).toBeGreaterThan(1_480);
  });

  it('keeps its lead over the server, and says what is held anew', () => {
    bench.socket.receive({ controls: [welcome('r1')] });
    bench.play(100, 128);
    bench.held = [1];
    bench.play(128, 130);
    const lead = bench.session.predictedTick(Date.now()) - 130;
    bench.reconnect(5 * MS_PER_TICK);
    bench.socket.receive({ controls: [welcome('r2', { tick: 135 })] });
    bench.play(135, 137);
    expect(bench.session.predictedTick(Date.now()) - 137).toBeCloseTo(lead, 0);
    expect(bench.socket.sent.filter((message) => message.startsWith('input'))).toHaveLength(1);
  });

  it.each([
    ['another match', { matchId: 'm2', tick: 139 }],
    ['another seat', { player: 4, tick: 139 }],
    ['a match that was set back', { tick: 20 }],
  ])('starts over with %s', (_, changes) => {
    bench.socket.receive({ controls: [welcome('r1')] });
    bench.play(100, 130);
    bench.reconnect();
    bench.socket.receive({ controls: [welcome('r2', changes)] });
    expect(bench.frame()).toEqual({ others: null, own: null });
  });

  it('takes the clock of a match that stood still meanwhile', () => {
    bench.socket.receive({ controls: [welcome('r1')] });
    bench.play(100, 130);
    bench.socket.drop();
    vi.advanceTimersByTime(60_000);
    bench.socket.open();
    bench.socket.receive({ controls: [welcome('r2', { tick: 131 })] });
    bench.play(131, 133);
    expect(bench.session.predictedTick(Date.now())).toBeLessThan(140);
  });

  it('tells what happened in the game, unless the module could not read it', () => {
    bench.socket.receive({
      controls: [
        { type: 'game', event: { kind: 'goal' } },
        { type: 'game', event: null },
      ],
    });
    expect(bench.told).toEqual([{ kind: 'goal' }]);
  });

  it('measures the way anew after a stall', () => {
    bench.socket.receive({ controls: [welcome('r1')] });
    bench.play(100, 200);
    const pings = (): number => bench.socket.sent.filter((message) => message === 'ping').length;
    const before = pings();
    bench.play(200, 230);
    expect(pings() - before, 'once a second').toBeLessThanOrEqual(1);
    vi.advanceTimersByTime(500);
    bench.play(245, 275);
    expect(pings() - before).toBeGreaterThan(4);
  });

  it('knows who is away and when the server restarts', () => {
    const roster = [{ player: 5, name: 'Bo', bot: false, presence: 'here' }] as const;
    bench.socket.receive({ controls: [welcome('r1', { roster })] });
    expect(bench.session.drainSeconds(Date.now())).toBeNull();
    bench.socket.receive({
      controls: [
        { type: 'updated', player: 5, name: 'Bo', bot: false, presence: 'away' },
        { type: 'draining', until: 100 + 30 * 42 },
      ],
    });
    expect(bench.session.roster.get(5)?.presence).toBe('away');
    expect(bench.session.drainSeconds(Date.now())).toBeCloseTo(42);
    vi.advanceTimersByTime(2_000);
    expect(bench.session.drainSeconds(Date.now())).toBeCloseTo(40);
  });
});
