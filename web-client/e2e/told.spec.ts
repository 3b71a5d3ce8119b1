// What a screen reader is told in a match: moments, and no counting.
import { expect, inMatch, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=3'] } });

test('nothing that counts is read out', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    const live = '[role="status"], [role="alert"], [aria-live]';
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest(live);
        if (region) told.push(region.textContent);
      }
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await page.goto(server.playUrl);
  await page.getByTestId('play').click();
  await inMatch(page);
  await waitForPhase(page, 'live');
  await expect(page.getByTestId('timer')).toHaveText(/4:5\d/);
  const told = await page.evaluate(() => (window as unknown as { told: string[] }).told);
  const match = told.filter((text) => !/^\s*$/.test(text));
  expect(match.filter((text) => /Starts in \d seconds\.$/.test(text))).toHaveLength(1);
  expect(match.at(-1)).toBe('The match is on.');
  expect(match.length, match.join(' | ')).toBeLessThan(6);
});

test('dialogs have names, and the focus goes back to where it was', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.goto(server.playUrl);
  await page.getByTestId('play').click();
  await inMatch(page);
  for (const [button, name] of [
    ['menu-button', 'Menu'],
    ['invite-button', 'Invite friends'],
  ] as const) {
    await page.getByTestId(button).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId(button)).toBeFocused();
  }
});
