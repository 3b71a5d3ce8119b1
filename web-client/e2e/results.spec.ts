// The end of a match.
import { createMatch, expect, inMatch, play, state, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { matchSeconds: 6, set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

test('results, votes, another round, and away', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  const before = await play(bo, link, 'Bo');
  for (const page of [ada, bo]) {
    const results = page.getByTestId('results');
    await expect(results).toBeVisible();
    for (const name of ['Ada', 'Bo']) {
      await expect(results.getByTestId('score-row').filter({ hasText: name })).toBeVisible();
    }
    await expect(page.getByTestId('rematch-note')).toContainText('Vote within');
  }
  // The first vote waits for the second, which ends the vote.
  await ada.getByTestId('rematch').click();
  await expect(ada.getByTestId('rematch')).toBeDisabled();
  await expect(ada.getByTestId('rematch-note')).toContainText('Waiting for the others');
  await bo.getByTestId('rematch').click();
  for (const page of [ada, bo]) await expect(page.getByTestId('results')).toBeHidden();
  await waitForPhase(bo, 'live');
  const again = await inMatch(bo);
  expect([again.matchId, again.player]).toEqual([before.matchId, before.player]);

  await expect(bo.getByTestId('results')).toBeVisible();
  await bo.getByTestId('results-leave').click();
  await expect(bo.getByTestId('landing')).toBeVisible();
  expect((await state(bo)).connection).toBe('none');
});
