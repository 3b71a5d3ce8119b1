// Networks that let no WebSocket through: the game is played over HTTP, and says so.
import type { Page } from '@playwright/test';
import { expect, inMatch, play, state, test, waitForPhase } from './fixtures';
import { Site, type Fault } from './proxy';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

const WORDS = 'Connected through a slower path';

let site: Site | null = null;
test.afterEach(async () => {
  await site?.stop();
  site = null;
});

async function xOf(page: Page, name: string): Promise<number | null> {
  return (await state(page)).fighters.find((fighter) => fighter.name === name)?.x ?? null;
}

/** What `mover` does, it sees itself and `watcher` sees as well. */
async function movesBefore(mover: Page, watcher: Page, name: string): Promise<void> {
  await waitForPhase(mover, 'live');
  await expect.poll(() => xOf(watcher, name)).not.toBeNull();
  const [here, there] = [(await xOf(mover, name)) ?? 0, (await xOf(watcher, name)) ?? 0];
  const key = here > 1_000 ? 'KeyA' : 'KeyD';
  await mover.keyboard.down(key);
  await expect.poll(async () => Math.abs(((await xOf(mover, name)) ?? here) - here)).toBeGreaterThan(20);
  await expect.poll(async () => Math.abs(((await xOf(watcher, name)) ?? there) - there)).toBeGreaterThan(20);
  await mover.keyboard.up(key);
}

const blocked: readonly { fault: Fault; buffers: boolean; path: string }[] = [
  { fault: 'refuse', buffers: false, path: 'stream' },
  { fault: 'hang', buffers: false, path: 'stream' },
  { fault: 'cut', buffers: false, path: 'stream' },
  { fault: 'cut_later', buffers: false, path: 'stream' },
  { fault: 'refuse', buffers: true, path: 'poll' },
];

for (const { fault, buffers, path } of blocked) {
  const what = buffers ? `${fault}, and responses are held back` : fault;
  test(`is played where WebSockets are blocked: ${what}`, async ({ server, newPlayer }) => {
    site = await Site.proxy(server.playUrl, { path: '/', buffers });
    site.webSockets = fault;
    const [ada, bob] = [await newPlayer(), await newPlayer()];
    await play(bob, server.playUrl, 'Bob');
    await play(ada, site.origin, 'Ada');
    await expect.poll(async () => (await state(ada)).path).toBe(path);
    await expect(ada.getByTestId('slower-path')).toHaveText(WORDS);
    await expect(bob.getByTestId('slower-path')).toBeEmpty();
    expect((await inMatch(ada)).matchId).toBe((await inMatch(bob)).matchId);
    await movesBefore(ada, bob, 'Ada');
    await movesBefore(bob, ada, 'Bob');
  });
}

test('remembers the slower path for the tab, and another tab finds the WebSocket again', async ({
  server,
  newPlayer,
}) => {
  site = await Site.proxy(server.playUrl, { path: '/' });
  site.webSockets = 'refuse';
  const first = await newPlayer();
  const before = await play(first, site.origin, 'Ada');
  await expect(first.getByTestId('slower-path')).toHaveText(WORDS);
  site.webSockets = 'pass';
  await first.reload();
  const after = await inMatch(first);
  expect([after.player, after.path]).toEqual([before.player, 'stream']);
  const second = await first.context().newPage();
  await second.goto(site.origin);
  await second.getByTestId('play').click();
  const there = await inMatch(second);
  expect([there.player, there.path]).toEqual([before.player, 'websocket']);
  await expect(first.getByTestId('ended')).toContainText('This seat is now played in another tab');
});
