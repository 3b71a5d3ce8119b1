// Where friends wait for each other.
import type { Page } from '@playwright/test';
import { createMatch, expect, play, startMatch, state, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { set: ['matches.bots_fill=5', 'matches.countdown_seconds=1'] } });

const person = (page: Page, name: string): ReturnType<Page['locator']> =>
  page.getByTestId('lobby-person').filter({ hasText: name });

test('friends meet in it, and the match begins when all are ready', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  const lobby = ada.getByRole('region', { name: 'Lobby' });
  await expect(lobby).toBeVisible();
  expect(link).toContain(`?join=${await ada.getByTestId('code').innerText()}`);
  await expect(ada.getByTestId('lobby-note')).toContainText('Nobody else is here yet');
  await expect(ada.getByTestId('ready'), 'who is alone has nobody to wait for').toBeHidden();
  await expect(ada.getByTestId('copy-link'), 'the link comes first').toBeFocused();

  await play(bo, link, 'Bo');
  await expect(bo.getByTestId('ready')).toBeFocused();
  for (const page of [ada, bo]) {
    await expect(person(page, 'Ada')).toContainText('host');
    await expect(person(page, 'Bo')).toContainText('not ready');
  }
  await expect(lobby.getByTestId('announcer')).toHaveText('Bo came in.');
  await expect(bo.getByTestId('start'), 'only the host starts').toBeHidden();

  await expect(bo.getByTestId('lobby-bots')).toBeDisabled();
  await ada.getByTestId('lobby-bots').click();
  await expect(bo.getByTestId('lobby-bots')).not.toBeChecked();

  await bo.getByTestId('ready').click();
  await expect(bo.getByTestId('ready')).toHaveAttribute('aria-pressed', 'true');
  await expect(bo.getByTestId('lobby-note')).toHaveText('You are ready. Waiting for Ada.');
  await bo.getByTestId('ready').click();
  await expect(person(ada, 'Bo')).toContainText('not ready');
  await bo.getByTestId('ready').click();
  await expect(ada.getByTestId('lobby-note')).toContainText('1 of 2 ready');
  await ada.getByTestId('ready').click();
  for (const page of [ada, bo]) {
    await expect(page.getByTestId('lobby')).toBeHidden();
    await expect(page.getByTestId('hud')).toBeVisible();
    await waitForPhase(page, 'live');
    expect((await state(page)).fighters, 'no bots, as the host chose').toHaveLength(2);
  }
});

test('its host starts it when they like, and bots fill the free seats', async ({ server, newPlayer }) => {
  const ada = await newPlayer();
  await createMatch(ada, server.playUrl, 'Ada');
  expect((await state(ada)).fighters.length, 'no bots before the start').toBeLessThanOrEqual(1);
  await startMatch(ada);
  await expect.poll(async () => (await state(ada)).fighters.length).toBe(5);
  await ada.getByTestId('scores-button').click();
  await expect(ada.getByTestId('score-row').filter({ hasText: 'bot' })).toHaveCount(4);
});

test('who leaves hands it over, and who reloads comes back to it', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, 'Bo');
  await bo.reload();
  await expect(bo.getByTestId('lobby')).toBeVisible();
  await expect(ada.getByTestId('lobby-person')).toHaveCount(2);
  await expect(person(ada, 'Bo')).not.toContainText('away');
  await ada.getByTestId('lobby-leave').click();
  await expect(ada.getByTestId('landing')).toBeVisible();
  await expect(bo.getByTestId('start')).toBeVisible();
  await expect(bo.getByTestId('lobby').getByTestId('announcer')).toContainText('Ada left. You are the host now.');
});

test('who loses the connection is away, and nobody waits for them', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, 'Bo');
  await bo.close();
  await expect(person(ada, 'Bo')).toContainText('away');
  await expect(ada.getByTestId('lobby-note')).toContainText('Nobody else is here yet');
});

test('its link is copied and shared', async ({ server, newPlayer }) => {
  const ada = await newPlayer({ permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.addInitScript(() => {
    const shared: unknown[] = [];
    Object.assign(window, { shared });
    navigator.share = (what) => {
      shared.push(what?.url);
      return Promise.resolve();
    };
  });
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await ada.getByTestId('copy-link').click();
  await expect(ada.getByTestId('copy-link')).toHaveText('Copied');
  expect(await ada.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await ada.getByTestId('share-link').click();
  expect(await ada.evaluate(() => (window as unknown as { shared: unknown[] }).shared)).toEqual([link]);

  // In play the link is behind a button.
  await startMatch(ada);
  await expect(ada.getByTestId('invite-link')).toBeHidden();
  await ada.getByTestId('invite-button').click();
  await expect(ada.getByRole('dialog', { name: 'Invite friends' })).toBeVisible();
  await expect(ada.getByTestId('invite').getByTestId('invite-link')).toHaveValue(link);
  await ada.keyboard.press('Escape');
  await expect(ada.getByTestId('invite')).toBeHidden();
});
