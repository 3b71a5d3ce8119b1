// A match that friends share by its link: the link is in the page's address, works in every phase, and outlives the server.
import type { Page } from '@playwright/test';
import { createMatch, expect, inMatch, startMatch, state, test } from './fixtures';
import { Server } from './server';

const SETTINGS = ['matches.bots_fill=0', 'matches.countdown_seconds=1'];
const RESTART_MS = 60_000;

const codeIn = (url: string): string | null => new URL(url).searchParams.get('join');

/** Opens the link and presses Play. */
async function follow(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('play').click();
}

test('friends meet again under their link after a restart', async ({ newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const first = await Server.start({ set: SETTINGS });
  let second: Server | null = null;
  try {
    const link = await createMatch(ada, first.playUrl, 'Ada');
    expect(codeIn(ada.url()), "the match's code is in the address").toBe(codeIn(link));
    await follow(bo, link, 'Bo');
    await expect(bo.getByTestId('lobby')).toBeVisible();
    await startMatch(ada);
    const before = await inMatch(ada);
    await inMatch(bo);
    await first.stop('SIGKILL');
    for (const page of [ada, bo]) await expect(page.getByTestId('lost')).toBeVisible();
    second = await Server.start({ port: first.port, set: SETTINGS });
    for (const page of [ada, bo]) {
      await expect(page.getByTestId('lobby')).toBeVisible({ timeout: RESTART_MS });
      expect(codeIn(page.url())).toBe(codeIn(link));
    }
    const [adas, bos] = [await state(ada), await state(bo)];
    expect(bos.matchId, 'both in one').toBe(adas.matchId);
    expect(adas.matchId, 'which is a new one').not.toBe(before.matchId);
    const host = (await ada.getByTestId('start').isVisible()) ? ada : bo;
    await startMatch(host);
    for (const page of [ada, bo]) await inMatch(page);
  } finally {
    await first.stop('SIGKILL');
    await second?.stop();
  }
});

test('a link that is opened while results are shown leads into the next round', async ({ newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const server = await Server.start({ matchSeconds: 3, set: [...SETTINGS, 'matches.results_seconds=40'] });
  try {
    const link = await createMatch(ada, server.playUrl, 'Ada');
    await startMatch(ada);
    const before = await inMatch(ada);
    await expect(ada.getByTestId('results')).toBeVisible();
    await follow(bo, link, 'Bo');
    await expect(bo.getByTestId('results')).toBeVisible();
    expect((await state(bo)).matchId).toBe(before.matchId);
    await ada.getByTestId('rematch').click();
    for (const page of [ada, bo]) await expect(page.getByTestId('results')).toBeHidden();
    await inMatch(bo);
  } finally {
    await server.stop();
  }
});

test('who leaves is at no match by the address, either', async ({ server, newPlayer }) => {
  const ada = await newPlayer();
  const link = await createMatch(ada, server.playUrl, 'Ada');
  expect(codeIn(ada.url())).toBe(codeIn(link));
  await ada.getByTestId('lobby-leave').click();
  await expect(ada.getByTestId('landing')).toBeVisible();
  expect(codeIn(ada.url())).toBeNull();
  await expect(ada.getByTestId('play')).toHaveText('Play');
});

test('another link in the same tab leads where it says', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  await createMatch(ada, server.playUrl, 'Ada');
  const other = await createMatch(bo, server.playUrl, 'Bo');
  await ada.goto(other);
  await expect(ada.getByTestId('play')).toHaveText('Join match');
  await ada.getByTestId('play').click();
  await expect(ada.getByTestId('lobby')).toBeVisible();
  expect((await state(ada)).matchId).toBe((await state(bo)).matchId);
});
