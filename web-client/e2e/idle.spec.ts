// Who does nothing is played by a bot until they do something.
import { createMatch, expect, play, startMatch, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1', 'session.idle_ms=2000'] } });

test('a bot plays for who is away, and any key gives the seat back', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, 'Bo');
  await startMatch(ada);
  await waitForPhase(ada, 'live');
  const note = ada.getByTestId('idle-note');
  await expect(note).toHaveText('You were away: a bot plays for you. Press any key to play on.');
  await expect(ada.getByTestId('game').getByTestId('announcer').first()).toContainText('a bot plays for you');

  await bo.keyboard.down('Tab');
  await expect(bo.getByTestId('score-row').filter({ hasText: 'Ada' })).toContainText('away');
  // No key of the game's.
  await ada.keyboard.press('KeyQ');
  await expect(note).toBeEmpty();
  await expect(bo.getByTestId('score-row').filter({ hasText: 'Ada' })).not.toContainText('away');
});
