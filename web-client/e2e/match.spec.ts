// Two people in one match, each in a browser of their own.
import type { Page } from '@playwright/test';
import { createMatch, expect, inMatch, play, state, test, waitForPhase } from './fixtures';

test.use({ serverOptions: { set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] } });

const MARKUP = '<img src=x>';

/** Walks `hunter` towards the other and keeps firing at them until `done`. */
async function hunt(hunter: Page, done: () => Promise<boolean>): Promise<void> {
  const size = hunter.viewportSize() ?? { width: 1280, height: 800 };
  const keys = { x: ['KeyA', 'KeyD'], y: ['KeyW', 'KeyS'] } as const;
  let last = { x: 0, y: 0 };
  let aside = 0;
  const deadline = Date.now() + 90_000;
  await hunter.mouse.down();
  while (Date.now() < deadline && !(await done())) {
    const { own, fighters } = await state(hunter);
    const prey = fighters.find((fighter) => !fighter.own);
    if (!own || !prey) {
      await hunter.waitForTimeout(200);
      continue;
    }
    const away = { x: prey.x - own.x, y: prey.y - own.y };
    const distance = Math.hypot(away.x, away.y);
    // Near a border the camera stops following, so the aim is only right in direction from where it is drawn.
    await hunter.mouse.move(size.width / 2 + (away.x / distance) * 5, size.height / 2 + (away.y / distance) * 5);
    // Stuck at a wall: some steps along it.
    aside = Math.hypot(own.x - last.x, own.y - last.y) < 8 ? 4 : Math.max(0, aside - 1);
    last = own;
    const walk = aside > 0 ? { x: away.y, y: -away.x } : away;
    for (const axis of ['x', 'y'] as const) {
      const [negative, positive] = keys[axis];
      await hunter.keyboard[walk[axis] < -40 ? 'down' : 'up'](negative);
      await hunter.keyboard[walk[axis] > 40 ? 'down' : 'up'](positive);
    }
    await hunter.waitForTimeout(150);
  }
  await hunter.mouse.up();
}

test('one moves and fires, the other sees it and is hurt', async ({ server, newPlayer }) => {
  const [ada, bo] = [await newPlayer(), await newPlayer()];
  const link = await createMatch(ada, server.playUrl, 'Ada');
  expect(link).toMatch(/\?join=[A-Z0-9]+$/);
  const seated = await play(bo, link, MARKUP);
  expect(seated.matchId).toBe((await state(ada)).matchId);
  await ada.getByTestId('invite-close').click();
  await waitForPhase(ada, 'live');

  const adaId = (await state(ada)).player;
  const seen = async (): Promise<{ x: number; y: number } | undefined> =>
    (await state(bo)).fighters.find((fighter) => fighter.player === adaId);
  const before = await seen();
  await hunt(ada, async () => {
    const { health, score } = await state(bo);
    return (health !== null && health < 100) || (score ?? 0) > 0;
  });
  const after = await seen();
  expect(Math.hypot((after?.x ?? 0) - (before?.x ?? 0), (after?.y ?? 0) - (before?.y ?? 0))).toBeGreaterThan(20);
  await expect.poll(async () => (await state(ada)).score).toBeGreaterThan(0);

  // What each draws of the other is where the other is, but for the time it takes to get there.
  for (const key of ['KeyW', 'KeyA', 'KeyS', 'KeyD']) await ada.keyboard.up(key);
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
  await expect.poll(async () => (await state(ada)).fighters.length).toBe(2);
  await bo.getByTestId('menu-button').click();
  await bo.getByTestId('leave').click();
  await expect(bo.getByTestId('landing')).toBeVisible();
  await expect.poll(async () => (await state(ada)).fighters.length).toBe(1);
  await inMatch(ada);
});
