// Two people in one match, each in a browser of their own.
import { readFile } from 'node:fs/promises';
import { createMatch, expect, inMatch, play, startMatch, state, test, waitForPhase } from './fixtures';
import { hunt } from './hunt';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

const MARKUP = '<img src=x>';

test('one moves and fires, the other sees it and is hurt', async ({ server, newPlayer }) => {
  // Across the map, which takes a machine that others use several times as long; less than a match lasts.
  test.setTimeout(280_000);
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  // Two pages that draw in software keep a machine busy: small ones less.
  for (const page of [ada, bo]) await page.setViewportSize({ width: 640, height: 400 });
  const link = await createMatch(ada, server.playUrl, 'Ada');
  expect(link).toMatch(/\?join=[A-Z0-9]+$/);
  const seated = await play(bo, link, MARKUP);
  expect(seated.matchId).toBe((await state(ada)).matchId);
  await startMatch(ada);
  await waitForPhase(ada, 'live');

  const adaId = (await state(ada)).player;
  const seen = async (): Promise<{ x: number; y: number } | undefined> =>
    (await state(bo)).fighters.find((fighter) => fighter.player === adaId);
  const before = await seen();
  await hunt(ada, async () => {
    const { health } = await state(bo);
    return health !== null && health < 100;
  });
  expect((await state(bo)).health, 'Bo is hurt').toBeLessThan(100);
  const after = await seen();
  expect(Math.hypot((after?.x ?? 0) - (before?.x ?? 0), (after?.y ?? 0) - (before?.y ?? 0))).toBeGreaterThan(20);
  await expect.poll(async () => (await state(ada)).score).toBeGreaterThan(0);

  // What each draws of the other is where the other is, but for the time it takes to get there.
  await expect
    .poll(async () => {
      const [there, here] = [await seen(), (await state(ada)).own];
      return there && here ? Math.hypot(there.x - here.x, there.y - here.y) : Infinity;
    })
    .toBeLessThan(5);
});

test('a name full of markup is only text', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, MARKUP);
  await expect(ada.getByTestId('lobby-person').filter({ hasText: MARKUP })).toBeVisible();
  await startMatch(ada);
  await expect.poll(async () => (await state(ada)).fighters.map((fighter) => fighter.name)).toContain(MARKUP);
  await ada.keyboard.down('Tab');
  await expect(ada.getByTestId('score-row').filter({ hasText: MARKUP })).toBeVisible();
  await ada.keyboard.up('Tab');
  await expect(ada.getByTestId('scoreboard')).toBeHidden();
  expect(await ada.locator('img').count()).toBe(0);
  expect(await bo.locator('img').count()).toBe(0);
});

test('who leaves is gone for the other', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  await play(bo, link, 'Bo');
  await startMatch(ada);
  await expect.poll(async () => (await state(ada)).fighters.length).toBe(2);
  await bo.getByTestId('menu-button').click();
  await bo.getByTestId('leave').click();
  await expect(bo.getByTestId('landing')).toBeVisible();
  await expect.poll(async () => (await state(ada)).fighters.length).toBe(1);
  await inMatch(ada);
});

test('what was played can be saved for a load test', async ({ server, newPlayer }) => {
  const ada = await newPlayer();
  await createMatch(ada, `${server.playUrl}?record`, 'Ada');
  await startMatch(ada);
  await waitForPhase(ada, 'live');
  await ada.keyboard.press('KeyD', { delay: 500 });
  await ada.getByTestId('menu-button').click();
  const download = ada.waitForEvent('download');
  await ada.getByTestId('save-recording').click();
  const file = await (await download).path();
  const recording = JSON.parse(await readFile(file, 'utf8')) as { game: string; inputs: string[] };
  expect(recording.game).toBe('arena');
  expect(recording.inputs.length).toBeGreaterThan(10);
  expect(new Set(recording.inputs.map((input) => input.slice(-6))).size, 'more than one input').toBeGreaterThan(1);
});
