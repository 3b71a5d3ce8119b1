// The server goes away and comes back. What the player is told meanwhile never contradicts itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, inMatch, play, test } from './fixtures';
import { Server } from './server';

const RESTART_MS = 60_000;

/** From now on, notes every text that the page's dialogs and toasts show. */
async function watchWords(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seenWords: seen });
    const note = (): void => {
      for (const node of document.querySelectorAll(
        '[data-testid="status-text"], [data-testid="toast"]:not([hidden])',
      )) {
        const text = node.textContent;
        if (text !== '' && seen.at(-1) !== text) seen.push(text);
      }
    };
    new MutationObserver(note).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true,
      attributes: true,
    });
  });
  return () => page.evaluate(() => (window as unknown as { seenWords: string[] }).seenWords);
}

test('a killed server is told to be away, and another match is found when it is back', async ({ newPlayer }) => {
  const page = await newPlayer();
  const first = await Server.start();
  let second: Server | null = null;
  try {
    const before = await play(page, first.playUrl, 'Ada');
    const words = await watchWords(page);
    await first.stop('SIGKILL');
    await expect(page.getByTestId('lost')).toBeVisible();
    await expect(page.getByTestId('status-text')).toHaveText('The server does not answer; this page keeps trying.');
    second = await Server.start({ port: first.port });
    await expect(page.getByTestId('toast')).toBeVisible({ timeout: RESTART_MS });
    const after = await inMatch(page);
    expect(after.matchId).not.toBe(before.matchId);
    expect((await words()).filter((text) => !/^(Reconnecting;|Looking for a match)/.test(text))).toEqual([
      'The server does not answer; this page keeps trying.',
      'The server restarted, which ended your match: this is another one.',
    ]);
  } finally {
    await first.stop('SIGKILL');
    await second?.stop();
  }
});

test('under a supervisor a killed server costs its players a pause and no connection', async ({ newPlayer }) => {
  test.skip(process.platform !== 'linux', 'connections are handed over on Linux only');
  const page = await newPlayer();
  const stateDir = mkdtempSync(join(tmpdir(), 'tickwire-'));
  const server = await Server.start({ stateDir, supervised: true });
  const opened: string[] = [];
  page.on('websocket', (socket) => opened.push(socket.url()));
  try {
    const before = await play(page, server.playUrl, 'Ada');
    const words = await watchWords(page);
    for (let kill = 0; kill < 2; kill += 1) {
      const { tick } = await inMatch(page);
      server.killSupervised();
      await expect
        .poll(async () => (await inMatch(page)).tick, { timeout: RESTART_MS })
        .toBeGreaterThan((tick ?? 0) + 90);
    }
    const after = await inMatch(page);
    expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
    expect(opened).toHaveLength(1);
    expect(await words()).toEqual([]);
  } finally {
    await server.stop();
    rmSync(stateDir, { recursive: true });
  }
});

test('a drain is told before it ends, and after it the page finds a match', async ({ newPlayer }) => {
  const page = await newPlayer();
  const first = await Server.start({ drainSeconds: 5 });
  let second: Server | null = null;
  try {
    await play(page, first.playUrl, 'Ada');
    const words = await watchWords(page);
    first.drain();
    await expect(page.getByTestId('drain')).toHaveText(/^The server restarts in 0:0\d; your match ends then\.$/);
    await expect(page.getByTestId('recovering')).toBeVisible();
    await first.stop();
    second = await Server.start({ port: first.port });
    await expect(page.getByTestId('toast')).toBeVisible({ timeout: RESTART_MS });
    await inMatch(page);
    await expect(page.getByTestId('drain')).toBeHidden();
    expect(await words()).toEqual([
      'The server is restarting, which ends your match; this page finds you another match when it is back.',
      'The server restarted, which ended your match: this is another one.',
    ]);
  } finally {
    await first.stop('SIGKILL');
    await second?.stop();
  }
});

test('a killed server that kept its matches goes on with them, and the player has the same seat', async ({
  newPlayer,
}) => {
  const page = await newPlayer();
  const stateDir = mkdtempSync(join(tmpdir(), 'tickwire-'));
  const first = await Server.start({ stateDir });
  let second: Server | null = null;
  try {
    const before = await play(page, first.playUrl, 'Ada');
    const words = await watchWords(page);
    await first.stop('SIGKILL');
    second = await Server.start({ port: first.port, stateDir });
    await expect
      .poll(async () => (await inMatch(page)).tick, { timeout: RESTART_MS })
      .toBeGreaterThan(before.tick ?? 0);
    const after = await inMatch(page);
    expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
    expect((await words()).filter((text) => text.includes('another'))).toEqual([]);
  } finally {
    await first.stop('SIGKILL');
    await second?.stop();
    rmSync(stateDir, { recursive: true });
  }
});
