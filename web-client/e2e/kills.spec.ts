// A kill, as the two concerned are told of it, and the protection of the life after it.
import { createMatch, expect, play, startMatch, test, waitForPhase } from './fixtures';
import { hunt } from './hunt';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

test('the killed are told who it was, the killers whom they got, and a new life is protected', async ({
  server,
  newPlayer,
}) => {
  // Across the map, which takes a machine that others use several times as long; less than a match
  // lasts.
  test.setTimeout(280_000);
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  for (const page of [ada, bo]) await page.setViewportSize({ width: 640, height: 400 });
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, 'Bo');
  await startMatch(ada);
  await waitForPhase(ada, 'live');

  // These come and go while the hunt goes on.
  const timeout = 240_000;
  const eliminated = ada.getByTestId('own-kills').filter({ hasText: 'You eliminated Bo+50' }).waitFor({ timeout });
  const died = bo
    .getByTestId('death')
    .filter({ hasText: /Killed by.*Ada.*who was not hurt at all/ })
    .waitFor({ timeout });
  let isDead = false;
  const dead = died.then(() => {
    isDead = true;
  });
  await hunt(ada, () => Promise.resolve(isDead));
  await Promise.all([eliminated, dead]);
  await expect(ada.getByTestId('kill-feed').locator('.own-kill')).toHaveText(/Ada.*Bo/);

  await bo.getByTestId('shield').waitFor();
  await expect(bo.getByTestId('death')).toBeHidden();
  await expect(bo.getByTestId('shield'), 'and it ends').toBeHidden();
});
