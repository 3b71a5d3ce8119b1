// The page over TLS, with a certificate that the server made itself.
import { connect } from 'node:tls';
import { createMatch, expect, inMatch, play, startMatch, state, test, waitForPhase } from './fixtures';

test.use({
  serverOptions: { set: ['tls.self_signed=true', 'matches.bots_fill=0', 'matches.countdown_seconds=1'] },
});

const TRUSTING = { ignoreHTTPSErrors: true };

test('is played over https and wss, and its links lead there', async ({ server, newPlayer }) => {
  const [ada, bob] = [await newPlayer(TRUSTING), await newPlayer(TRUSTING)];
  const sockets: string[] = [];
  ada.on('websocket', (socket) => sockets.push(socket.url()));
  const link = await createMatch(ada, server.playUrl, 'Ada');
  expect(link).toContain(server.playUrl);
  expect(server.playUrl).toMatch(/^https:/);
  await bob.goto(link);
  await bob.getByTestId('name').fill('Bob');
  await bob.getByTestId('play').click();
  await startMatch(ada);
  await waitForPhase(ada, 'live');
  await waitForPhase(bob, 'live');
  const { tick, matchId } = await inMatch(ada);
  expect((await inMatch(bob)).matchId).toBe(matchId);
  await expect.poll(async () => (await state(ada)).tick ?? 0).toBeGreaterThan((tick ?? 0) + 30);
  expect(sockets.length).toBeGreaterThan(0);
  for (const url of sockets) expect(url).toMatch(/^wss:/);
});

test('a reload comes back to the same seat', async ({ server, newPlayer }) => {
  const page = await newPlayer(TRUSTING);
  const before = await play(page, server.playUrl, 'Ada');
  await page.reload();
  const after = await inMatch(page);
  expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
});

test('http is sent to https, also by who forgets the s', async ({ server, newPlayer }) => {
  const page = await newPlayer(TRUSTING);
  await page.goto(server.playUrl.replace('https:', 'http:'));
  expect(page.url()).toBe(server.playUrl);
  await expect(page.getByTestId('play')).toBeVisible();
});

test('the fingerprint that it prints is that of its certificate', async ({ server }) => {
  const shown = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
  expect(server.fingerprint).toBe(shown);
});
