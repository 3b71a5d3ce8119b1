// On a phone, upright and on its side: everything in reach, nothing under a thumb or under something else.
import type { CDPSession } from '@playwright/test';
import { createMatch, expect, play, startMatch, state, test, waitForPhase } from './fixtures';
import { boxOf, isInside, meet, ORIENTATIONS, type Box } from './phone';

test.use({ serverOptions: { set: ['matches.bots_fill=16', 'matches.countdown_seconds=1'] } });

/** Everything on the screen of a match, by test id. */
const PARTS = [
  'hud-buttons',
  'hud-middle',
  'hud-connection',
  'minimap',
  'dash-button',
  'bars',
  'stick-left',
  'stick-right',
];

async function touch(cdp: CDPSession, type: 'touchStart' | 'touchMove' | 'touchEnd', ...at: Box[]): Promise<void> {
  const touchPoints = at.map(({ x, y, width, height }, id) => ({ x: x + width / 2, y: y + height / 2, id }));
  await cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
}

for (const [name, viewport] of ORIENTATIONS) {
  test.describe(name, () => {
    const phone = { viewport, hasTouch: true, isMobile: true };

    test('nothing lies over anything else', async ({ server, newPlayer }) => {
      const page = await newPlayer(phone);
      await play(page, server.playUrl, 'Ada');
      const boxes = await Promise.all(PARTS.map(async (id) => ({ id, box: await boxOf(page, id) })));
      for (const { id, box } of boxes) expect(isInside(box, viewport), `${id} is on the screen`).toBe(true);
      for (const [index, one] of boxes.entries()) {
        for (const other of boxes.slice(index + 1)) {
          expect(meet(one.box, other.box), `${one.id} and ${other.id}`).toBe(false);
        }
      }
    });

    test('a thumb anywhere leaves the dash button free, and it dashes', async ({ server, newPlayer }) => {
      const page = await newPlayer(phone);
      await play(page, server.playUrl, 'Ada');
      await waitForPhase(page, 'live');
      const cdp = await page.context().newCDPSession(page);
      const dash = await boxOf(page, 'dash-button');
      for (const [dx, dy] of [
        // Nearer than this, the browser takes the thumb to mean the button.
        [-24, 20],
        [-24, -24],
        [30, dash.height + 24],
      ] as const) {
        const thumb = { x: dash.x + dx, y: dash.y + dy, width: 1, height: 1 };
        await touch(cdp, 'touchStart', thumb);
        await expect(page.getByTestId('stick-right')).toHaveClass(/held/);
        const stick = await boxOf(page, 'stick-right');
        expect(meet(stick, dash), `a thumb at ${dx}, ${dy} of the button`).toBe(false);
        expect(isInside(stick, viewport)).toBe(true);
        await touch(cdp, 'touchEnd');
      }
      const ready = page.locator('.hud.dash-ready');
      await expect(ready).toBeAttached();
      await touch(cdp, 'touchStart', dash);
      await expect(ready).not.toBeAttached();
      await touch(cdp, 'touchEnd');
    });

    test('a pinch on any of it zooms nothing', async ({ server, newPlayer }) => {
      const page = await newPlayer(phone);
      await play(page, server.playUrl, 'Ada');
      const cdp = await page.context().newCDPSession(page);
      for (const id of ['menu-button', 'minimap', 'bars', 'dash-button', 'stage']) {
        const { x, y, width, height } = await boxOf(page, id);
        await cdp.send('Input.synthesizePinchGesture', { x: x + width / 2, y: y + height / 2, scaleFactor: 2 });
        expect(await page.evaluate(() => window.visualViewport?.scale), `on ${id}`).toBe(1);
      }
      await page.getByTestId('menu-button').tap();
      await page.getByTestId('leave').tap();
      await expect(page.getByTestId('landing')).toBeVisible();
      const viewportMeta = page.locator('meta[name="viewport"]');
      await expect(viewportMeta, 'the first page may be zoomed').not.toHaveAttribute('content', /maximum-scale/);
    });

    test('the own row is in sight among sixteen, and so is the way back', async ({ server, newPlayer }) => {
      const page = await newPlayer(phone);
      await play(page, server.playUrl, 'Ada');
      await page.getByTestId('scores-button').tap();
      await expect(page.getByTestId('score-row')).toHaveCount(16);
      for (const top of [0, 10_000]) {
        // In one go: the row moves as scores change.
        const found = await page.getByTestId('scores-panel').evaluate((panel, scrollTop) => {
          const list = panel.querySelector('.scores-scroll');
          if (list) list.scrollTop = scrollTop;
          const cell = panel.querySelector('.own td');
          const [row, frame] = [cell?.getBoundingClientRect(), panel.getBoundingClientRect()];
          if (!row) return null;
          return {
            height: row.height,
            inside: row.top >= frame.top && row.bottom <= frame.bottom + 1,
            // What is there is what is seen: nothing lies over it.
            seen: document.elementFromPoint(row.left + row.width / 2, row.top + row.height / 2) === cell,
          };
        }, top);
        expect(found, `scrolled to ${top}`).toMatchObject({ inside: true, seen: true });
        expect(found?.height).toBeGreaterThan(15);
        expect(isInside(await boxOf(page, 'scores-panel'), viewport)).toBe(true);
      }
      await page.getByTestId('scores-close').tap();
      await expect(page.getByTestId('scores-panel')).toBeHidden();
    });

    test('every button of the lobby and of the dialogs is in reach', async ({ server, newPlayer }) => {
      const page = await newPlayer(phone);
      await createMatch(page, server.playUrl, 'Ada');
      for (const id of ['copy-link', 'lobby-bots', 'start', 'lobby-leave']) {
        await expect(page.getByTestId(id)).toBeInViewport({ ratio: 1 });
      }
      await startMatch(page);
      await page.getByTestId('menu-button').tap();
      for (const id of ['menu-resume', 'leave', 'copy-link']) {
        await expect(page.getByTestId(id)).toBeInViewport({ ratio: 1 });
      }
      await page.getByTestId('menu-resume').tap();
      await page.getByTestId('invite-button').tap();
      for (const id of ['invite-close', 'copy-link', 'code']) {
        await expect(page.getByTestId('invite').getByTestId(id)).toBeInViewport({ ratio: 1 });
      }
      await page.getByTestId('invite-close').tap();
      expect((await state(page)).connection).toBe('live');
    });
  });
}
