// The first page: fits small screens, works without a mouse, and keeps to the content security policy.
import { expect, inMatch, state, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

test('fits a screen 360 pixels wide', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(server.playUrl);
  await expect(page.getByTestId('play')).toBeInViewport();
  await expect(page.getByTestId('match-list-note')).not.toHaveText('Looking for matches…');
  const { content, screen } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    screen: window.innerWidth,
  }));
  expect(content).toBeLessThanOrEqual(screen);
});

test('is played with the keyboard alone', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.goto(server.playUrl);
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('name')).toBeFocused();
  await page.keyboard.type('Keys');
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('mode')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('play')).toBeFocused();
  await page.keyboard.press('Enter');
  await waitForPhase(page, 'live');
  const before = await inMatch(page);
  await page.keyboard.down('KeyD');
  await page.keyboard.down('KeyS');
  await expect
    .poll(async () => {
      const { own } = await state(page);
      return own && before.own ? Math.hypot(own.x - before.own.x, own.y - before.own.y) : 0;
    })
    .toBeGreaterThan(20);
  await page.keyboard.up('KeyD');
  await page.keyboard.up('KeyS');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('menu-resume')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('leave')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('landing')).toBeVisible();
});

test('is served with a strict content security policy', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  const response = await page.goto(server.playUrl);
  const policy = (await response?.headerValue('content-security-policy')) ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
});

test('tells of a code that leads nowhere', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.goto(`${server.playUrl}?join=AAAAAA`);
  await expect(page.getByTestId('play')).toHaveText('Join match');
  await page.getByTestId('play').click();
  await expect(page.getByTestId('error')).toHaveText('There is no match with that code. It may have ended.');
});
