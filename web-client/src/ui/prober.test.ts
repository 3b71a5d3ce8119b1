import { describe, expect, it } from 'vitest';
import { ApiError, Backoff, type GameInfo } from '@tickwire/client';
import { Prober } from './prober';

const INFO: GameInfo = { game: 'arena', protocol: 3, schema: 'abc', grace_s: 300, modes: [] };
const failing = (code: string) => (): Promise<never> => Promise.reject(new ApiError(code, 0, ''));

interface Server {
  readonly info?: () => Promise<GameInfo>;
  readonly check?: () => Promise<void>;
}

class Bench {
  asked = 0;
  nowMs = 0;
  online = true;
  server: Server;
  readonly prober: Prober;

  constructor(server: Server) {
    this.server = server;
    this.prober = new Prober({
      api: {
        info: () => {
          this.asked += 1;
          return this.server.info?.() ?? Promise.resolve(INFO);
        },
        connectCheck: () => this.server.check?.() ?? Promise.resolve(),
      },
      build: () => ({ protocol: 3, schema: 'abc' }),
      online: () => this.online,
      now: () => this.nowMs,
      backoff: new Backoff({ baseMs: 2_000, maxMs: 8_000, random: () => 1 }),
    });
  }

  async look(): Promise<string> {
    this.prober.look();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    return this.prober.finding.kind;
  }
}

describe('Prober', () => {
  it.each<[string, Server]>([
    ['answers', {}],
    ['no_answer', { info: failing('unreachable'), check: failing('unreachable') }],
    ['no_answer', { info: failing('timeout'), check: failing('timeout') }],
    ['refused_origin', { check: failing('origin_not_allowed') }],
    // What a page of another origin sees that is not allowed: it may read this one answer only.
    ['refused_origin', { info: failing('unreachable'), check: failing('origin_not_allowed') }],
    ['upgrade_lost', { check: failing('upgrade_lost') }],
    ['draining', { check: failing('draining') }],
    ['must_wait', { check: failing('rate_limited') }],
    ['banned', { check: failing('banned') }],
    ['other_game', { info: () => Promise.resolve({ ...INFO, game: 'tag' }) }],
    ['other_version', { info: () => Promise.resolve({ ...INFO, schema: 'def' }) }],
    ['other_version', { info: () => Promise.resolve({ ...INFO, protocol: 4 }) }],
    // Busy is not away, and an older server knows no check.
    ['answers', { info: failing('rate_limited') }],
    ['answers', { check: failing('not_found') }],
  ])('finds %s', async (kind, server) => {
    expect(await new Bench(server).look()).toBe(kind);
  });

  it('asks again only after a pause that grows, or when told to', async () => {
    const bench = new Bench({});
    await bench.look();
    bench.nowMs = 1_900;
    await bench.look();
    expect(bench.asked).toBe(1);
    bench.nowMs = 2_100;
    await bench.look();
    bench.nowMs = 5_000;
    await bench.look();
    expect(bench.asked).toBe(2);
    bench.prober.soon();
    await bench.look();
    expect(bench.asked).toBe(3);
  });

  it('forgets what was wrong when it is over, also what it is just being told', async () => {
    const bench = new Bench({ check: failing('draining') });
    expect(await bench.look()).toBe('draining');
    bench.prober.clear();
    expect(bench.prober.finding.kind).toBe('unknown');
    bench.prober.look();
    bench.prober.clear();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    expect(bench.prober.finding.kind).toBe('unknown');
  });

  it('asks nobody without a network', async () => {
    const bench = new Bench({});
    bench.online = false;
    expect(await bench.look()).toBe('offline');
    expect(bench.asked).toBe(0);
  });
});
