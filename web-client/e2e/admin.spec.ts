// The operator's page.
import type { Page } from '@playwright/test';
import { createMatch, expect, inMatch, play, state, test } from './fixtures';
import { ORIENTATIONS } from './phone';

const MARKUP = '<i>Ada</i>';
/** In no other test of this file: seats of those who left are kept for a while. */
const EVE = '<b>Eve</b>';

test('shows matches and lets the operator watch one', async ({ server, newPlayer }) => {
  const player = await newPlayer();
  const admin = await newPlayer();
  await play(player, server.playUrl, MARKUP);
  await admin.goto(server.adminUrl);
  await expect(admin.getByTestId('admin-row')).toHaveCount(1);
  expect(new URL(admin.url()).hash, 'the token leaves the address bar').toBe('');
  await admin.getByTestId('watch-match').click();
  await expect(admin.getByTestId('watch-state')).toHaveText('Connected');
  await expect(admin.getByTestId('score-row').filter({ hasText: MARKUP })).toBeVisible();
  await expect(admin.getByTestId('watch-timer')).toHaveText(/live|countdown/);
  await expect(admin.getByTestId('watch-stage').locator('canvas')).toBeVisible();
  await admin.getByTestId('watch-camera').selectOption({ label: `Follow ${MARKUP}` });
  await admin.getByTestId('watch-close').click();
  await expect(admin.getByTestId('dashboard')).toBeVisible();
  expect((await state(player)).connection, 'watching disturbs nobody').toBe('live');
});

test('kicks and bans a player, lifts the ban, and writes all of it down', async ({ server, newPlayer, page }) => {
  const admin = await newPlayer();
  await play(page, server.playUrl, EVE);
  await admin.goto(server.adminUrl);
  await admin.getByTestId('show-people').click();
  const person = admin.getByTestId('admin-people-row').filter({ hasText: EVE });
  await expect(person).toContainText('playing');
  await expect(person).toContainText('127.0.0.1');

  await person.getByTestId('kick').click();
  await admin.getByTestId('verdict-reason').fill('shouting');
  await admin.getByTestId('verdict-confirm').click();
  await expect(person).toHaveCount(0);
  await expect(page.getByTestId('status-text')).toHaveText('The people who run this server took you out of the match.');

  await page.goto(server.playUrl);
  await page.getByTestId('play').click();
  await inMatch(page);
  await person.getByTestId('ban').click();
  await expect(admin.getByTestId('ban-address'), 'an address may be shared by many').not.toBeChecked();
  await admin.getByTestId('ban-length').selectOption({ label: '1 day' });
  await admin.getByTestId('verdict-reason').fill('more shouting');
  await admin.getByTestId('verdict-confirm').click();
  await expect(page.getByTestId('status-text')).toHaveText('The people who run this server do not let you play here.');
  const ban = admin.getByTestId('admin-bans-row');
  await expect(ban).toContainText('more shouting');
  await expect(ban).toContainText(/23 h 59 min|1 d|24 h/);

  await page.goto(server.playUrl);
  await page.getByTestId('play').click();
  await expect(page.getByTestId('error')).toHaveText(/do not let you play here for another \d+ hours: more shouting$/);

  await ban.getByTestId('lift').click();
  await expect(ban).toHaveCount(0);
  await page.getByTestId('play').click();
  await inMatch(page);
  const trail = admin.getByTestId('admin-audit-row');
  await expect(trail.first()).toContainText('lift');
  await expect(trail.filter({ hasText: 'kick' }).first()).toContainText('shouting');
  await expect(trail.filter({ hasText: 'more shouting' })).toContainText(EVE);
});

test('refuses a wrong token in words', async ({ server, newPlayer }) => {
  const admin = await newPlayer();
  await admin.goto(server.adminUrl.replace(/token=.*/, 'token=wrong'));
  await expect(admin.getByTestId('admin-problem')).toContainText('refused the token');
});

test('greys figures that are no longer those of now, and says how old they are', async ({ server, newPlayer }) => {
  const admin = await newPlayer();
  let reachable = true;
  await admin.route('**/admin/api/**', (route) => (reachable ? route.continue() : route.abort('connectionfailed')));
  await admin.goto(server.adminUrl);
  const age = admin.getByTestId('admin-age');
  await expect(age).toHaveText('Live');
  const table = admin.getByTestId('admin-matches');
  await expect(table).toHaveCSS('opacity', '1');
  reachable = false;
  await expect(age).toHaveText(/^Last answer [5-9] s ago$/);
  await expect(table).not.toHaveCSS('opacity', '1');
  await expect(admin.getByTestId('admin-problem')).toContainText('does not answer');
  reachable = true;
  await expect(age).toHaveText('Live');
  await expect(table).toHaveCSS('opacity', '1');
  await expect(admin.getByTestId('admin-problem')).toBeEmpty();
});

test('counts the connected, and shows a match that nobody is connected to as dormant', async ({
  server,
  newPlayer,
}) => {
  const [ada, admin] = [await newPlayer(), await newPlayer()];
  await createMatch(ada, server.playUrl, 'Ada');
  const code = await ada.getByTestId('code').innerText();
  await admin.goto(server.adminUrl);
  const row = admin.getByTestId('admin-row').filter({ hasText: code });
  await expect(row.locator('td').nth(2)).toHaveText('waiting');
  await expect(row.locator('td').nth(3)).toHaveText(/^1 \//);
  await expect(row.locator('.bad'), 'nothing is wrong with a new match').toHaveCount(0);
  await ada.close();
  await expect(row.locator('td').nth(2)).toHaveText('dormant');
  await expect(row.locator('td').nth(3)).toHaveText(/^0 \(\+1\) \//);
});

for (const [name, viewport] of ORIENTATIONS) {
  test(`fits a phone ${name}`, async ({ server, newPlayer }) => {
    const player = await newPlayer();
    await play(player, server.playUrl, 'Ada');
    const admin = await newPlayer({ viewport, hasTouch: true, isMobile: true });
    await admin.goto(server.adminUrl);
    await expect(admin.getByTestId('admin-row').first()).toBeVisible();
    expect(await overhang(admin)).toBe(0);
    for (const element of await admin.locator('.matches-table td:visible').all()) {
      const box = await element.boundingBox();
      expect(box && box.x + box.width).toBeLessThanOrEqual(viewport.width);
    }
    await admin.getByTestId('watch-match').last().tap();
    await expect(admin.getByTestId('watch-state')).toHaveText('Connected');
    expect(await overhang(admin)).toBe(0);
    for (const id of ['watch-close', 'watch-camera', 'watch-timer', 'watch-stage']) {
      await expect(admin.getByTestId(id)).toBeInViewport({ ratio: 1 });
    }
    await admin.getByTestId('watch-close').tap();
    await expect(admin.getByTestId('dashboard')).toBeVisible();
  });
}

/** How much wider the page is than the screen. */
function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
