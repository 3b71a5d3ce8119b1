// A connection that falters, breaks, or never opens.
import type { Page } from '@playwright/test';
import { expect, inMatch, play, state, test, waitForPhase } from './fixtures';
import { Line } from './line';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

let line: Line;
test.beforeEach(async ({ server }) => {
  line = await Line.to(server.playUrl);
});
test.afterEach(async () => {
  await line.stop();
});

/** From now on, notes every dialog that the page opens. */
async function watchDialogs(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seenDialogs: seen });
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node instanceof HTMLDialogElement) seen.push(node.dataset['testid'] ?? '');
      }
    }).observe(document.body, { childList: true });
  });
  return () => page.evaluate(() => (window as unknown as { seenDialogs: string[] }).seenDialogs);
}

test('a reload comes back to the same seat', async ({ newPlayer }) => {
  const page = await newPlayer();
  const before = await play(page, line.url, 'Ada');
  for (let round = 0; round < 2; round += 1) {
    await page.reload();
    const after = await inMatch(page);
    expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
  }
});

test('a short break darkens nothing, and what is held stays held', async ({ newPlayer }) => {
  const page = await newPlayer();
  const before = await play(page, line.url, 'Ada');
  await waitForPhase(page, 'live');
  const dialogs = await watchDialogs(page);
  // To and fro, so that no wall ends it: one of two keys is always held over the break.
  const x = async (): Promise<number> => (await state(page)).own?.x ?? 0;
  const from = await x();
  const key = from > 1_000 ? 'KeyA' : 'KeyD';
  await page.keyboard.down(key);
  await expect.poll(async () => Math.abs((await x()) - from)).toBeGreaterThan(20);
  const sockets = line.opened;
  line.cut();
  await expect.poll(() => line.opened).toBeGreaterThan(sockets);
  await expect.poll(async () => (await state(page)).connection).toBe('live');
  const back = await x();
  await expect.poll(async () => Math.abs((await x()) - back)).toBeGreaterThan(30);
  await page.keyboard.up(key);
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
  expect(await dialogs()).toEqual([]);
});

test('a stall is counted, then told, and over when it is over', async ({ newPlayer }) => {
  const page = await newPlayer();
  await play(page, line.url, 'Ada');
  const dialogs = await watchDialogs(page);
  line.hold();
  await expect(page.getByTestId('stalled')).toHaveText(/^Reconnecting… \d\.\d s$/);
  expect(await dialogs(), 'a sign first').toEqual([]);
  line.release();
  await expect(page.getByTestId('stalled')).toBeEmpty();
  expect(await dialogs()).toEqual([]);
  line.hold();
  await expect(page.getByTestId('lost')).toBeVisible();
  await expect(page.getByTestId('stalled'), 'one of the two').toBeEmpty();
  await expect(page.getByTestId('status-text')).toContainText('your seat is kept for 5 minutes');
  line.release();
  await expect(page.getByTestId('lost')).toBeHidden();
  await inMatch(page);
});

test('Retry now gives up a socket that hangs', async ({ newPlayer }) => {
  const page = await newPlayer();
  const before = await play(page, line.url, 'Ada');
  line.treatment = 'swallow';
  line.overHttp = 'swallow';
  line.cut();
  await expect(page.getByTestId('lost')).toBeVisible();
  await expect.poll(async () => (await state(page)).connection).toBe('connecting');
  const sockets = line.opened;
  line.treatment = 'pass';
  await page.getByTestId('retry').click();
  await expect(page.getByTestId('lost')).toBeHidden();
  expect(line.opened).toBe(sockets + 1);
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
});

test('a network that lets nothing of the game through is named, and no lost connection', async ({ newPlayer }) => {
  const page = await newPlayer();
  line.treatment = 'refuse';
  line.overHttp = 'refuse';
  await page.goto(line.url);
  await page.getByTestId('play').click();
  await expect(page.getByTestId('connecting')).toBeVisible();
  await expect(page.getByTestId('status-text')).toContainText('this network blocks what the game needs');
  await page.getByTestId('retry').click();
  await expect(page.getByTestId('status-text')).toContainText('this network blocks what the game needs');
  await expect(page.getByText('Connection lost')).toHaveCount(0);
  // It goes on by itself: the button may be gone before anybody could press it.
  line.treatment = 'pass';
  line.overHttp = 'pass';
  await inMatch(page);
});

test('a seat that is played in another tab can be taken back', async ({ newPlayer }) => {
  const first = await newPlayer();
  const before = await play(first, line.url, 'Ada');
  const second = await first.context().newPage();
  await second.goto(line.url);
  await second.getByTestId('play').click();
  const there = await inMatch(second);
  expect([there.matchId, there.player], 'one person, one seat').toEqual([before.matchId, before.player]);
  await expect(first.getByTestId('ended')).toContainText('This seat is now played in another tab');
  await first.getByTestId('take-back').click();
  const back = await inMatch(first);
  expect([back.matchId, back.player]).toEqual([before.matchId, before.player]);
  await expect(second.getByTestId('take-back')).toBeVisible();
});
