import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Poller } from './poller';

class Bench {
  asked = 0;
  failures = 0;
  answer: () => Promise<number> = () => Promise.resolve(1);
  hidden = false;
  readonly answers: number[] = [];
  readonly poller = new Poller<number>({
    ask: () => {
      this.asked += 1;
      return this.answer();
    },
    onAnswer: (answer) => this.answers.push(answer),
    onFailure: () => {
      this.failures += 1;
    },
    isHidden: () => this.hidden,
  });

  /** How often it asks within these seconds. */
  async within(seconds: number): Promise<number> {
    const before = this.asked;
    await vi.advanceTimersByTimeAsync(seconds * 1_000);
    return this.asked - before;
  }
}

let bench: Bench;
beforeEach(() => {
  vi.useFakeTimers();
  bench = new Bench();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Poller', () => {
  it('asks at once, then every few seconds while the answer changes', async () => {
    bench.answer = () => Promise.resolve(bench.asked);
    bench.poller.start();
    expect(await bench.within(0)).toBe(0);
    expect(bench.answers).toEqual([1]);
    expect(await bench.within(40)).toBe(10);
  });

  it('asks less often while it does not, and much less while it fails', async () => {
    bench.poller.start();
    await bench.within(60);
    expect(await bench.within(60)).toBe(4);
    bench.answer = () => Promise.reject(new Error('away'));
    await bench.within(200);
    expect(await bench.within(120)).toBe(2);
    expect(bench.failures).toBeGreaterThan(2);
  });

  it('asks nothing while nobody looks, and at once when somebody does again', async () => {
    bench.poller.start();
    await bench.within(30);
    bench.hidden = true;
    bench.poller.visibilityChanged();
    expect(await bench.within(600)).toBe(0);
    bench.hidden = false;
    const before = bench.asked;
    bench.poller.visibilityChanged();
    expect(bench.asked - before).toBe(1);
    expect(await bench.within(6)).toBe(1);
  });

  it('does not even begin while nobody looks', async () => {
    bench.hidden = true;
    bench.poller.start();
    expect(await bench.within(60)).toBe(0);
  });

  it('asks nothing after it was stopped, and keeps a late answer to itself', async () => {
    bench.answer = () => new Promise((resolve) => setTimeout(resolve, 1_000, 7));
    bench.poller.start();
    bench.poller.stop();
    bench.poller.visibilityChanged();
    expect(await bench.within(60)).toBe(0);
    expect(bench.answers).toEqual([]);
  });
});
