// Losing the connection, the page and the server.
import { expect, inMatch, play, state, test } from './fixtures';
import { Server } from './server';

test('a reload comes back to the same seat', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  const before = await play(page, server.playUrl, 'Ada');
  for (let round = 0; round < 2; round += 1) {
    await page.reload();
    const after = await inMatch(page);
    expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
  }
});

test('a lost connection is told and mended', async ({ server, newPlayer }) => {
  const page = await newPlayer();
  let cut = (): Promise<void> => Promise.resolve();
  let reachable = true;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (!reachable) {
      void socket.close();
      return;
    }
    socket.connectToServer();
    cut = () => socket.close();
  });
  const before = await play(page, server.playUrl, 'Ada');
  reachable = false;
  await cut();
  await expect(page.getByTestId('lost')).toBeVisible();
  await expect(page.getByTestId('status-text')).toContainText('Reconnecting');
  // Too early: the page goes on by itself.
  await page.getByTestId('retry').click();
  reachable = true;
  const after = await inMatch(page);
  await expect(page.getByTestId('lost')).toBeHidden();
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
});

test('a restarted server is told, and a new match found', async ({ newPlayer }) => {
  const page = await newPlayer();
  const first = await Server.start();
  let second: Server | null = null;
  try {
    const before = await play(page, first.playUrl, 'Ada');
    await first.stop('SIGKILL');
    await expect(page.getByTestId('lost')).toBeVisible();
    second = await Server.start({ port: first.port });
    await expect(page.getByTestId('toast')).toHaveText(
      'The server restarted; your match is gone. Finding you a new one…',
      { timeout: 40_000 },
    );
    const after = await inMatch(page);
    expect(after.matchId).not.toBe(before.matchId);
    expect((await state(page)).connection).toBe('live');
  } finally {
    await first.stop('SIGKILL');
    await second?.stop();
  }
});
