// A server per test file, players' pages, and what tests ask of them through `window.tickwire`.
import { expect, test as base, type Browser, type BrowserContextOptions, type Page } from '@playwright/test';
import type { DebugState } from '../src/debug';
import { Server, type ServerOptions } from './server';

interface TestFixtures {
  /** Opens another player's page, with storage of its own. */
  newPlayer: (options?: BrowserContextOptions) => Promise<Page>;
}

interface WorkerFixtures {
  serverOptions: ServerOptions;
  server: Server;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  serverOptions: [{}, { option: true, scope: 'worker' }],
  server: [
    async ({ serverOptions }, use) => {
      const server = await Server.start(serverOptions);
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  newPlayer: async ({ browser }, use) => {
    const problems: string[] = [];
    const pages: Page[] = [];
    await use(async (options) => {
      const page = await openPage(browser, problems, options);
      pages.push(page);
      return page;
    });
    for (const page of pages) await page.context().close();
    expect(problems, 'errors on the pages').toEqual([]);
  },
});

async function openPage(browser: Browser, problems: string[], options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A server that is away on purpose shows as a failed request; everything else is a fault.
    if (
      message.type() === 'error' &&
      !/ERR_(CONNECTION|EMPTY_RESPONSE|FAILED|INCOMPLETE)|WebSocket connection|status of (401|404|503)/.test(
        message.text(),
      )
    ) {
      problems.push(message.text());
    }
  });
  return page;
}

/** What the page knows now. */
export function state(page: Page): Promise<DebugState> {
  return page.evaluate(() => {
    const { tickwire } = window;
    if (!tickwire) throw new Error('window.tickwire is missing');
    return { ...tickwire };
  });
}

/** Waits until the page sits in a match and draws its own fighter there. */
export async function inMatch(page: Page): Promise<DebugState> {
  await expect
    .poll(async () => {
      const { phase, tick, own } = await state(page);
      return phase === 'playing' && tick !== null && own !== null;
    })
    .toBe(true);
  return state(page);
}

/** Types a name and presses Play. */
export async function play(page: Page, url: string, name: string): Promise<DebugState> {
  await page.goto(url);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('play').click();
  return inMatch(page);
}

/** Makes a match only its link leads to, and waits in its lobby; returns the link. */
export async function createMatch(page: Page, url: string, name: string): Promise<string> {
  await page.goto(url);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('create').click();
  await expect(page.getByTestId('lobby')).toBeVisible();
  return page.getByTestId('invite-link').first().inputValue();
}

/** The host ends the waiting. */
export async function startMatch(host: Page): Promise<void> {
  await host.getByTestId('start').click();
  await expect(host.getByTestId('lobby')).toBeHidden();
}

export async function waitForPhase(page: Page, phase: DebugState['matchPhase'], timeout = 30_000): Promise<void> {
  await expect.poll(async () => (await state(page)).matchPhase, { timeout }).toBe(phase);
}

export { expect };
