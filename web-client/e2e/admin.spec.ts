// The operator's page.
import { expect, play, state, test } from './fixtures';

const MARKUP = '<i>Ada</i>';

test('shows matches and lets the operator watch one', async ({ server, newPlayer }) => {
  const player = await newPlayer();
  const admin = await newPlayer();
  await play(player, server.playUrl, MARKUP);
  await admin.goto(server.adminUrl);
  await expect(admin.getByTestId('admin-row')).toHaveCount(1);
  expect(new URL(admin.url()).hash, 'the token leaves the address bar').toBe('');
  await admin.getByTestId('watch-match').click();
  await expect(admin.getByTestId('watch-state')).toHaveText('Live');
  await expect(admin.getByTestId('score-row').filter({ hasText: MARKUP })).toBeVisible();
  await expect(admin.getByTestId('watch-timer')).toHaveText(/live|countdown/);
  await expect(admin.getByTestId('watch-stage').locator('canvas')).toBeVisible();
  await admin.getByTestId('watch-camera').selectOption({ label: `Follow ${MARKUP}` });
  await admin.getByTestId('watch-close').click();
  await expect(admin.getByTestId('dashboard')).toBeVisible();
  expect((await state(player)).connection, 'watching disturbs nobody').toBe('live');
});

test('refuses a wrong token in words', async ({ server, newPlayer }) => {
  const admin = await newPlayer();
  await admin.goto(server.adminUrl.replace(/token=.*/, 'token=wrong'));
  await expect(admin.getByTestId('admin-problem')).toContainText('refused the token');
});
