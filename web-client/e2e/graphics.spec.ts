// The browser takes the canvas's context away, as it does when a driver restarts or memory runs
// short.
import { expect, inMatch, play, test } from './fixtures';
import type { Page } from '@playwright/test';

/** Makes the canvas hear of it as the browser would say it. */
function tell(page: Page, event: 'webglcontextlost' | 'webglcontextrestored'): Promise<void> {
  return page.evaluate((name) => {
    document.querySelector('.stage canvas')?.dispatchEvent(new Event(name, { cancelable: true }));
  }, event);
}

test('lost graphics say so, go away when they are back, and a reload keeps the seat', async ({ server, newPlayer }) => {
  const ada = await newPlayer();
  const { player, matchId } = await play(ada, server.playUrl, 'Ada');
  const note = ada.getByRole('alert').filter({ hasText: 'has stopped the graphics' });
  await tell(ada, 'webglcontextlost');
  await expect(note).toBeVisible();
  await tell(ada, 'webglcontextrestored');
  await expect(note).toBeHidden();
  await tell(ada, 'webglcontextlost');
  await note.getByRole('button', { name: 'Reload' }).click();
  await ada.waitForLoadState();
  expect(await inMatch(ada)).toMatchObject({ player, matchId });
});
