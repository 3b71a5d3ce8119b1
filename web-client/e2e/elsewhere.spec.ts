// The page below a path of another site, behind a proxy that is set up wrong, and a page of another origin.
import type { Page } from '@playwright/test';
import { createMatch, expect, inMatch, test } from './fixtures';
import { Site } from './proxy';
import { Server } from './server';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

interface Answer {
  readonly status: number;
  readonly code: string;
}

/** Asks as a page does; a status of 0 is an answer that the browser does not show. */
function ask(page: Page, method: string, url: string, body?: unknown): Promise<Answer> {
  return page.evaluate(
    async ([method, url, body]) => {
      const init: RequestInit =
        body === undefined
          ? { method }
          : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      try {
        const response = await fetch(url, init);
        const answer = (await response.json().catch(() => ({}))) as { code?: string };
        return { status: response.status, code: answer.code ?? '' };
      } catch {
        return { status: 0, code: '' };
      }
    },
    [method, url, body] as const,
  );
}

function opensWebSocket(page: Page, url: string): Promise<boolean> {
  return page.evaluate(
    (url) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => {
          resolve(true);
        };
        socket.onerror = () => {
          resolve(false);
        };
      }),
    url,
  );
}

test('is played below a path, and its links lead there', async ({ server, newPlayer }) => {
  const proxy = await Site.proxy(server.playUrl, { path: '/games/arena/' });
  const [ada, bob] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, `${proxy.origin}/games/arena/`, 'Ada');
  expect(link).toContain(`${proxy.origin}/games/arena/?join=`);
  await bob.goto(link);
  await bob.getByTestId('name').fill('Bob');
  await bob.getByTestId('play').click();
  expect((await inMatch(bob)).matchId).toBe((await inMatch(ada)).matchId);
  await proxy.stop();
});

test('behind a proxy that changes Host the page can find out why', async ({ server, page }) => {
  const proxy = await Site.proxy(server.playUrl, { path: '/', host: 'tickwire_backend' });
  await page.goto(proxy.origin);
  expect(await opensWebSocket(page, 'ws')).toBe(false);
  expect(await ask(page, 'POST', 'api/connect-check')).toEqual({ status: 403, code: 'origin_not_allowed' });
  await proxy.stop();
});

test('a page of another origin uses the API, the WebSocket and a frame if it is allowed to', async ({ page }) => {
  const site = await Site.blank();
  for (const allowed of [true, false]) {
    const server = await Server.start({ set: [`allowed_origins=[${allowed ? JSON.stringify(site.origin) : ''}]`] });
    await page.goto(site.origin);
    const session = await ask(page, 'POST', `${server.playUrl}api/session`, { name: 'Ada' });
    expect(session.status).toBe(allowed ? 201 : 0);
    expect(await opensWebSocket(page, `${server.playUrl.replace('http', 'ws')}ws`)).toBe(allowed);
    const check = await ask(page, 'POST', `${server.playUrl}api/connect-check`);
    expect(check).toEqual(allowed ? { status: 204, code: '' } : { status: 403, code: 'origin_not_allowed' });
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.replaceChildren(frame);
    }, server.playUrl);
    const play = page.frameLocator('iframe').getByTestId('play');
    if (allowed) await expect(play).toBeVisible();
    else await expect.poll(() => page.frames().at(-1)?.url()).toContain('chrome-error');
    await server.stop();
  }
  await site.stop();
});
