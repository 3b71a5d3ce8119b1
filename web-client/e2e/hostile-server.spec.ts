// A server that means harm: whatever it says, the page gives up, says so, and still works.
import type { Page } from '@playwright/test';
import { expect, inMatch, test } from './fixtures';

/** What the server says once the match goes on, and how often. */
interface Attack {
  readonly what: string;
  readonly message: () => Buffer | string;
  readonly times: number;
}

const ATTACKS: readonly Attack[] = [
  { what: 'a message longer than there is', message: () => Buffer.alloc(256 * 1024 + 1), times: 1 },
  { what: 'a message of 4 MiB', message: () => Buffer.alloc(4 << 20), times: 1 },
  { what: 'text', message: () => 'x'.repeat(10_000), times: 10 },
  { what: 'noise', message: () => Buffer.alloc(10_000, 0xff), times: 10 },
  // Closing, again and again, because the player left.
  { what: 'a bomb of small messages', message: () => Buffer.alloc(256 * 1024, Buffer.from([5, 0])), times: 2 },
];

/** Plays against the real server until told to let the attack in. */
async function between(page: Page, attack: Attack): Promise<() => void> {
  let strike: () => void = () => undefined;
  await page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      server.send(message);
    });
    server.onMessage((message) => {
      socket.send(message);
    });
    strike = () => {
      for (let times = 0; times < attack.times; times += 1) socket.send(attack.message());
    };
  });
  return () => {
    strike();
  };
}

for (const attack of ATTACKS) {
  test(`the page survives ${attack.what}`, async ({ server, newPlayer }) => {
    const page = await newPlayer();
    const strike = await between(page, attack);
    await page.goto(server.playUrl);
    await page.getByTestId('play').click();
    await inMatch(page);
    strike();
    await expect.poll(() => page.evaluate(() => window.tickwire?.phase)).not.toBe('playing');
    // It still answers, and has not kept what it was sent.
    expect(await page.evaluate(() => 1 + 1)).toBe(2);
    const heap = await page.evaluate(
      () => (performance as unknown as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0,
    );
    expect(heap).toBeLessThan(200 << 20);
  });
}
