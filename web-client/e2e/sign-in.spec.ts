// People with an account: a page that signs in at an identity provider, and a sign-in that expires in a match.
import type { Page } from '@playwright/test';
import { expect, inMatch, state, test } from './fixtures';
import { IdentityProvider } from './identity-provider';
import { Server } from './server';

/** Longer than any token here is good. */
const EXPIRY = { timeout: 40_000 };

let provider: IdentityProvider;
let server: Server;

test.beforeEach(async () => {
  provider = await IdentityProvider.start();
  const set = ['accounts.guests=false', 'matches.bots_fill=0', 'matches.countdown_seconds=0', ...provider.settings];
  server = await Server.start({ set });
});
test.afterEach(async () => {
  await server.stop();
  await provider.stop();
});

/** Notes every address that the page asks for. */
function addressesOf(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  return asked;
}

test('who may not play as a guest signs in, plays under their name, and is the same person after a reload', async ({
  newPlayer,
}) => {
  const page = await newPlayer();
  const asked = addressesOf(page);
  await page.goto(server.playUrl);
  await expect(page.getByTestId('play')).toHaveText('Sign in to play');
  await expect(page.getByTestId('name')).toBeHidden();
  await page.getByTestId('play').click();
  await page.locator('#sign-in').click();
  await expect(page.getByTestId('play')).toHaveText('Play');
  await expect(page.getByTestId('name')).toHaveValue('Ada');
  expect(page.url(), 'the token is out of the address').toBe(server.playUrl);
  await page.getByTestId('play').click();
  const before = await inMatch(page);
  expect(before.own?.name).toBe('Ada');
  await page.reload();
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
  // Browsers keep what is behind # to themselves.
  const sent = asked.map((address) => address.split('#')[0] ?? '');
  expect(sent.filter((address) => address.includes('eyJ'))).toEqual([]);
});

test('a page with a source of tokens renews in time and is never signed out', async ({ newPlayer }) => {
  const page = await newPlayer();
  provider.life = 15;
  await page.exposeFunction('tickwireToken', () => provider.token());
  await page.goto(server.playUrl);
  await expect(page.getByTestId('name')).toHaveValue('Ada');
  await page.getByTestId('play').click();
  const before = await inMatch(page);
  const tokens = provider.count;
  let closed = 0;
  page.on('websocket', () => (closed += 1));
  // More than the life of the first, which is renewed at two thirds.
  await expect.poll(() => provider.count, { timeout: 60_000 }).toBeGreaterThanOrEqual(tokens + 2);
  const after = await inMatch(page);
  expect([after.matchId, after.player, after.connection]).toEqual([before.matchId, before.player, 'live']);
  expect(closed, 'one connection all the time').toBe(0);
});

test('who is signed out in a match signs in again and is back on the same seat', async ({ newPlayer }) => {
  const page = await newPlayer();
  provider.life = 12;
  await page.goto(`${server.playUrl}#tickwire-token=${provider.token()}`);
  await expect(page.getByTestId('name')).toHaveValue('Ada');
  await page.getByTestId('play').click();
  const before = await inMatch(page);
  await expect(page.getByTestId('status-text')).toContainText('Your sign-in has expired: sign in again', EXPIRY);
  expect((await state(page)).connection).not.toBe('live');
  provider.life = 600;
  await page.getByTestId('sign-in-again').click();
  await page.locator('#sign-in').click();
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
});

test('a source that comes by a newer token late brings the player back by itself', async ({ newPlayer }) => {
  const page = await newPlayer();
  let token: string | null = provider.token(12);
  await page.exposeFunction('tickwireToken', () => token);
  await page.goto(server.playUrl);
  await expect(page.getByTestId('name')).toHaveValue('Ada');
  await page.getByTestId('play').click();
  const before = await inMatch(page);
  token = null;
  await expect(page.getByTestId('lost')).toBeVisible(EXPIRY);
  token = provider.token();
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
});
