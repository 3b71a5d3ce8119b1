// Measures how soon the page is there: first paint, and a fighter that can be played by whoever presses Play at once, over lines
// of three speeds. Run with `npm run paint`; `PAGE_DIR` names another build of the page, `SERVER_BIN` another server.
import { test, type Browser } from '@playwright/test';
import { Server } from './server';

interface Line {
  readonly mbps: number;
  /** Added to every request, as a round trip of such a line would. */
  readonly latencyMs: number;
}

interface Measured {
  readonly paintMs: number;
  readonly playableMs: number;
  readonly kilobytes: number;
}

const LINES: readonly Line[] = [
  { mbps: 0.4, latencyMs: 150 },
  { mbps: 1.6, latencyMs: 75 },
  { mbps: 9, latencyMs: 20 },
];
const REPEATS = Number(process.env['REPEATS'] ?? 3);

test('first paint and time to play', async ({ browser }) => {
  test.setTimeout(LINES.length * REPEATS * 60_000);
  const server = await Server.start({ set: ['matches.bots_fill=0', 'matches.countdown_seconds=1'] });
  try {
    const rows: string[] = [];
    for (const line of LINES) {
      const runs: Measured[] = [];
      for (let run = 0; run < REPEATS; run += 1) runs.push(await measure(browser, server.playUrl, line));
      const middle = (what: keyof Measured): number => median(runs.map((measured) => measured[what]));
      rows.push(
        `| ${String(line.mbps)} Mbps, ${String(line.latencyMs)} ms | ${seconds(middle('paintMs'))} | ` +
          `${seconds(middle('playableMs'))} | ${middle('kilobytes').toFixed(0)} kB |`,
      );
    }
    console.log(['| line | first paint | playable | loaded by then |', '|---|---|---|---|', ...rows].join('\n'));
  } finally {
    await server.stop();
  }
});

async function measure(browser: Browser, url: string, { mbps, latencyMs }: Line): Promise<Measured> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Network.enable');
    const bytesPerSecond = (mbps * 1_000_000) / 8;
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: latencyMs,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
    let bytes = 0;
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.addInitScript(playAtOnce);
    await page.goto(url, { waitUntil: 'commit' });
    const playableMs = await page.waitForFunction(() => (window as Watched).playableMs, null, { timeout: 60_000 });
    const paintMs = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    );
    return { paintMs, playableMs: (await playableMs.jsonValue()) ?? NaN, kilobytes: bytes / 1_000 };
  } finally {
    await context.close();
  }
}

type Watched = Window & { playableMs?: number };

/** Runs in the page: presses Play as soon as it is painted, and notes when there is a fighter to play. */
function playAtOnce(): void {
  let pressed = false;
  const look = (): void => {
    const play = document.querySelector<HTMLButtonElement>('[data-testid="play"]');
    if (!pressed && play && performance.getEntriesByName('first-contentful-paint').length > 0) {
      pressed = true;
      play.click();
    }
    const { tickwire } = window;
    if (tickwire?.phase === 'playing' && tickwire.own) (window as Watched).playableMs = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
