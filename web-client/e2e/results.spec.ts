// The end of a match.
import { createMatch, expect, inMatch, play, startMatch, state, test, waitForPhase } from './fixtures';

test.use({
  serverOptions: {
    matchSeconds: 6,
    set: ['matches.bots_fill=0', 'matches.countdown_seconds=1', 'matches.results_seconds=12'],
  },
});

test('results, votes, another round, and away', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  const before = await play(bo, link, 'Bo');
  await startMatch(ada);
  for (const page of [ada, bo]) {
    const results = page.getByTestId('results');
    await expect(results).toBeVisible();
    await expect(results, 'the keys of the last fight press nothing').toBeFocused();
    for (const name of ['Ada', 'Bo']) {
      await expect(results.getByTestId('score-row').filter({ hasText: name })).toBeVisible();
    }
    await expect(page.getByTestId('rematch-note')).toContainText('Vote within');
  }
  // The first vote waits for the second, which ends the vote.
  await ada.getByTestId('rematch').click();
  await expect(ada.getByTestId('rematch')).toBeDisabled();
  await expect(ada.getByTestId('rematch-note')).toContainText('It starts again when everyone has');
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

test('without a vote the match ends, and that stays said', async ({ server, newPlayer }) => {
  const ada = await newPlayer();
  await createMatch(ada, server.playUrl, 'Ada');
  await startMatch(ada);
  const note = ada.getByTestId('rematch-note');
  await expect(note).toContainText('Vote within 2 s');
  await expect(ada.getByTestId('play-again')).toBeFocused();
  await expect(note).toContainText('This match is over for you');
  // The page goes on drawing: what counted down before must not come back.
  const [tick, shown] = [(await state(ada)).tick, await note.textContent()];
  await ada.evaluate(async () => {
    for (let frame = 0; frame < 20; frame += 1) await new Promise(requestAnimationFrame);
  });
  expect([(await state(ada)).tick, await note.textContent()]).toEqual([tick, shown]);
  await ada.getByTestId('play-again').click();
  await inMatch(ada);
});

test('who comes while they are shown sees them, and plays in the next round', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await startMatch(ada);
  // Ready to come in before the results, which are shown for a short while only.
  await bo.goto(link);
  await bo.getByTestId('name').fill('Bo');
  await expect(ada.getByTestId('results')).toBeVisible();
  await bo.getByTestId('play').click();
  const results = bo.getByTestId('results');
  await expect(results.getByTestId('score-row').filter({ hasText: 'Ada' })).toBeVisible();
  await expect(results.getByTestId('score-row').filter({ hasText: 'Bo' })).toHaveCount(0);
  await expect(bo.getByTestId('rematch-note')).toContainText('You are in for the next round');
  await expect(bo.getByTestId('rematch')).toBeHidden();
  await expect(results).toBeHidden();
  await waitForPhase(bo, 'live');
  await inMatch(bo);
});
