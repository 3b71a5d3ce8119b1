// The end of a match.
import { expect, inMatch, play, state, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { matchSeconds: 3, set: ['matches.countdown_seconds=1'] } });

test('results, a vote, another round, and away', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  const before = await play(page, server.playUrl, 'Ada');
  await expect(page.getByTestId('results')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByTestId('results').getByTestId('score-row').filter({ hasText: 'Ada' })).toBeVisible();
  await expect(page.getByTestId('rematch-note')).toContainText('Vote within');
  await page.getByTestId('rematch').click();
  await expect(page.getByTestId('rematch')).toBeDisabled();
  await expect(page.getByTestId('results')).toBeHidden({ timeout: 30_000 });
  await waitForPhase(page, 'live');
  const again = await inMatch(page);
  expect(again.player).toBe(before.player);
  await expect(page.getByTestId('results')).toBeVisible({ timeout: 30_000 });
  await page.getByTestId('results-leave').click();
  await expect(page.getByTestId('landing')).toBeVisible();
  expect((await state(page)).connection).toBe('none');
});
