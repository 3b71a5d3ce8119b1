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
  // The modes are the server's to tell; Play does not wait for them.
  await expect(page.getByTestId('mode')).toBeVisible();
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

for (const [name, width, height] of [
  ['upright', 390, 844],
  ['on its side', 844, 390],
] as const) {
  test(`has Play on the first screen of a phone ${name}, before any script`, async ({ server, newPlayer }) => {
    const page = await newPlayer();
    await page.setViewportSize({ width, height });
    await page.route('**/*.js', (route) => route.abort());
    await page.goto(server.playUrl);
    await expect(page.getByTestId('play')).toBeInViewport({ ratio: 1 });
    await expect(page.getByTestId('name')).toBeInViewport({ ratio: 1 });
  });
}

for (const how of ['a click', 'a key'] as const) {
  test(`remembers ${how} on Play from before the script`, async ({ server, newPlayer }) => {
    const page = await newPlayer();
    let letThrough = (): void => undefined;
    const through = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await page.route('**/*.js', async (route) => {
      await through;
      await route.continue();
    });
    await page.goto(server.playUrl, { waitUntil: 'commit' });
    await page.getByTestId('name').fill('Early');
    if (how === 'a click') await page.getByTestId('play').click();
    else await page.getByTestId('name').press('Enter');
    await expect(page.getByTestId('play'), 'nothing goes away').toBeVisible();
    letThrough();
    await page.waitForFunction(() => window.tickwire !== undefined);
    const { own } = await inMatch(page);
    expect(own?.name).toContain('Early');
  });
}

test('chooses no mode for those who were invited', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.goto(`${server.playUrl}?join=AAAAAA`);
  await expect(page.getByTestId('quick-instead')).toBeVisible();
  await expect(page.getByTestId('mode')).toBeHidden();
  await page.goto(server.playUrl);
  await expect(page.getByTestId('mode')).toBeVisible();
});

test('is played where the browser forbids storage', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage'] as const) {
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    }
  });
  await page.goto(server.playUrl);
  await page.getByTestId('name').fill('Ada');
  await page.getByTestId('play').click();
  await inMatch(page);
});

test('leaves the renderer for later', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  const scripts = new Map<string, number>();
  page.on('response', (response) => {
    if (!response.url().endsWith('.js')) return;
    void response.body().then((body) => scripts.set(response.url(), body.length));
  });
  await page.goto(server.playUrl);
  const total = (urls: Iterable<string>): number => [...urls].reduce((sum, url) => sum + (scripts.get(url) ?? 0), 0);
  await expect.poll(() => total(scripts.keys()), 'it comes by itself').toBeGreaterThan(400_000);
  const named = (await (await page.request.get(server.playUrl)).text()).match(/[^"]+\.js(?=")/g) ?? [];
  const first = named.map((name) => new URL(name, server.playUrl).href);
  expect(total(first)).toBeGreaterThan(10_000);
  expect(total(first), 'what the first page needs').toBeLessThan(60_000);
});
