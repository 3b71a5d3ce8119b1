// The results of sixteen on a phone.
import { expect, play, test } from './fixtures';
import { boxOf, ORIENTATIONS } from './phone';

test.use({ serverOptions: { matchSeconds: 2, set: ['matches.bots_fill=16', 'matches.countdown_seconds=1'] } });

for (const [name, viewport] of ORIENTATIONS) {
  test(`show the own row and every button, ${name}`, async ({ server, newPlayer }) => {
    const page = await newPlayer({ viewport, hasTouch: true, isMobile: true });
    await play(page, server.playUrl, 'Ada');
    await expect(page.getByTestId('results')).toBeVisible();
    for (const id of ['rematch', 'results-leave', 'rematch-note']) {
      await expect(page.getByTestId(id)).toBeInViewport({ ratio: 1 });
    }
    const own = page.getByTestId('results').getByTestId('score-row').filter({ hasText: 'you' }).locator('td').first();
    const [row, panel] = [await own.boundingBox(), await boxOf(page, 'results-scores')];
    expect(row && row.y + row.height).toBeLessThanOrEqual(panel.y + panel.height + 1);
    expect(row?.y).toBeGreaterThanOrEqual(panel.y);
  });
}
