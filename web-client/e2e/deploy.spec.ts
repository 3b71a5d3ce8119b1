// The configurations of deploy/: a match is played through each proxy, over TLS, and the server knows whom it is played by.
import { createServer as createPlainServer, get as getPlain, type IncomingHttpHeaders } from 'node:http';
import { request as requestTls, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployed, HOST, makeCertificate, Way, type Kind } from './deployed';
import { expect, inMatch, play, state, test } from './fixtures';
import { Server } from './server';

const SESSIONS = 4;
const SETTINGS = [
  'matches.bots_fill=0',
  'matches.countdown_seconds=1',
  'proxies.trusted=["127.0.0.1"]',
  `rates.sessions_per_minute=${String(SESSIONS)}`,
];
const HTTP_KINDS: readonly Kind[] = ['nginx', 'caddy', 'haproxy', 'apache'];

/** The server that stands behind such a proxy. */
function serverBehind(kind: Kind): Promise<Server> {
  if (kind !== 'haproxy-tcp') return Server.start({ set: SETTINGS });
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-tls-'));
  later({ stop: () => rm(folder, { recursive: true }) });
  makeCertificate(folder);
  const own = [`tls.cert=${folder}/fullchain.pem`, `tls.key=${folder}/privkey.pem`];
  return Server.start({ set: [...SETTINGS, ...own, 'proxies.protocol=v2', 'proxies.header=none'] });
}

/** What a test started, to be stopped after it, the last one first. */
const started: { stop: () => Promise<unknown> }[] = [];

function later<T extends { stop: () => Promise<unknown> }>(what: T): T {
  started.push(what);
  return what;
}

test.afterEach(async () => {
  for (const what of started.splice(0).reverse()) await what.stop();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** One request over TLS, on a connection of its own; what is sent back is not waited for. */
function ask(port: number, options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = requestTls({
      host: '127.0.0.1',
      servername: HOST,
      rejectUnauthorized: false,
      agent: false,
      port,
      ...options,
    });
    const settle = (status: number, headers: IncomingHttpHeaders): void => {
      resolve({ status, headers });
      request.destroy();
    };
    request.on('response', (response) => {
      settle(response.statusCode ?? 0, response.headers);
    });
    request.on('upgrade', (response) => {
      settle(response.statusCode ?? 0, response.headers);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function hostAt(port: number): string {
  return `${HOST}:${String(port)}`;
}

/** Opens a guest session; `more` is what a stranger makes up. */
async function openSession(port: number, more: Record<string, string> = {}): Promise<number> {
  const headers = { host: hostAt(port), 'content-type': 'application/json', ...more };
  return (await ask(port, { method: 'POST', path: '/api/session', headers }, '{"name":"Ada"}')).status;
}

async function openWebSocket(port: number): Promise<number> {
  const headers = {
    host: hostAt(port),
    origin: `https://${hostAt(port)}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  return (await ask(port, { path: '/ws', headers })).status;
}

for (const kind of [...HTTP_KINDS, 'haproxy-tcp'] as const) {
  test(`a match is played through ${kind}, and comes back`, async ({ newPlayer }) => {
    const server = later(await serverBehind(kind));
    const proxy = later(await Deployed.start(kind, server.port));
    const way = later(await Way.to(proxy.https, '127.0.0.77'));
    const page = await newPlayer({ ignoreHTTPSErrors: true });
    const before = await play(page, `https://${hostAt(way.port)}/`, 'Ada');
    expect(await page.evaluate(() => [location.protocol, isSecureContext])).toEqual(['https:', true]);
    const opened = way.opened;
    way.cut();
    await expect.poll(() => way.opened).toBeGreaterThan(opened);
    await expect.poll(async () => (await state(page)).connection).toBe('live');
    const after = await inMatch(page);
    expect([after.matchId, after.player]).toEqual([before.matchId, before.player]);
    await page.context().close();

    // The one on the page was the first; whatever a client makes up, it is this client's.
    const madeUp = { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6', 'x-real-ip': '6.6.6.6' };
    for (let nth = 1; nth < SESSIONS; nth += 1) expect(await openSession(way.port, madeUp)).toBe(201);
    expect(await openSession(way.port, { ...madeUp, 'x-forwarded-for': '6.6.6.7, 127.0.0.1' })).toBe(429);
    expect(await openSession(way.port)).toBe(429);
    await expect
      .poll(() => server.log.find((line) => line.includes('sessions_per_minute')))
      .toContain('client=127.0.0.77');
    const other = later(await Way.to(proxy.https, '127.0.0.78'));
    expect(await openSession(other.port), 'another client').toBe(201);

    const head = await ask(way.port, { path: '/', headers: { host: hostAt(way.port), 'accept-encoding': 'br' } });
    expect([head.status, head.headers['content-encoding']], 'compressed by the server').toEqual([200, 'br']);
    const plain = await new Promise<Answer>((resolve, reject) => {
      getPlain(
        { host: '127.0.0.1', port: proxy.http, path: '/?x=1', headers: { host: HOST }, agent: false },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, headers: response.headers });
        },
      ).on('error', reject);
    });
    expect(plain.status, 'to TLS').toBeGreaterThanOrEqual(301);
    expect(plain.headers.location).toBe(`https://${HOST}/?x=1`);
  });
}

for (const kind of [...HTTP_KINDS, 'haproxy-tcp'] as const) {
  test(`a match is played through ${kind} where WebSockets are blocked`, async ({ newPlayer }) => {
    const server = later(await serverBehind(kind));
    const proxy = later(await Deployed.start(kind, server.port));
    const page = await newPlayer({ ignoreHTTPSErrors: true });
    await page.addInitScript(() => {
      window.WebSocket = class extends WebSocket {
        constructor(url: string | URL) {
          super(new URL('/nowhere', url));
        }
      };
    });
    const before = await play(page, `https://${hostAt(proxy.https)}/`, 'Ada');
    expect(before.path, 'nothing is held back').toBe('stream');
    await expect.poll(async () => (await state(page)).tick).toBeGreaterThan((before.tick ?? 0) + 30);
    await page.context().close();
  });
}

test.describe('set up wrong', () => {
  for (const kind of HTTP_KINDS) {
    test(`${kind} that changes Host is named in the server's log, with what mends it`, async () => {
      const server = later(await Server.start({ set: SETTINGS }));
      const proxy = later(await Deployed.start(kind, server.port, { change: 'wrongHost' }));
      const way = later(await Way.to(proxy.https, '127.0.0.77'));
      expect(await openWebSocket(way.port)).toBe(403);
      await expect.poll(() => server.log.find((line) => line.includes('cannot open its WebSocket'))).toBeDefined();
      const line = server.log.find((line) => line.includes('cannot open its WebSocket')) ?? '';
      for (const part of [
        'client=127.0.0.77',
        'proxy="127.0.0.1"',
        'proxy_set_header Host $http_host',
        'ProxyPreserveHost On',
      ]) {
        expect(line).toContain(part);
      }
      expect(line).toContain(`origin="https://${hostAt(way.port)}"`);
    });
  }
});

test.describe('Forwarded', () => {
  for (const kind of HTTP_KINDS) {
    test(`is believed of ${kind}, where the server is told to`, async () => {
      const server = later(await Server.start({ set: [...SETTINGS, 'proxies.header=forwarded'] }));
      const proxy = later(await Deployed.start(kind, server.port, { change: 'forwarded' }));
      const way = later(await Way.to(proxy.https, '127.0.0.77'));
      // Whatever a client makes up, in this header or in another.
      for (let nth = 0; nth < SESSIONS; nth += 1) {
        const madeUp = { forwarded: `for=6.6.6.${String(nth)}`, 'x-forwarded-for': `6.6.7.${String(nth)}` };
        expect(await openSession(way.port, madeUp)).toBe(201);
      }
      expect(await openSession(way.port, { forwarded: 'for="[2001:db8::1]", for=127.0.0.1' })).toBe(429);
      await expect
        .poll(() => server.log.find((line) => line.includes('sessions_per_minute')))
        .toContain('client=127.0.0.77');
      const other = later(await Way.to(proxy.https, '127.0.0.78'));
      expect(await openSession(other.port), 'another client').toBe(201);
    });
  }
});

test.describe('a streamed answer', () => {
  for (const kind of HTTP_KINDS) {
    test(`${kind} passes it on as it comes`, async () => {
      // It sends its second part when the first has arrived.
      let finish = (): void => undefined;
      const upstream = createPlainServer((request, response) => {
        request.resume();
        if (request.url !== '/stream/down') {
          response.end('ok');
          return;
        }
        response.writeHead(200, { 'content-type': 'application/octet-stream' });
        response.write('first');
        finish = () => response.end('second');
      });
      await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
      later({
        stop: () => {
          upstream.closeAllConnections();
          return new Promise((resolve) => upstream.close(resolve));
        },
      });
      const proxy = later(await Deployed.start(kind, (upstream.address() as AddressInfo).port));
      const parts = await new Promise<string[]>((resolve, reject) => {
        const parts: string[] = [];
        const options = {
          method: 'POST',
          path: '/stream/down',
          headers: { host: hostAt(proxy.https), 'content-length': '0' },
        };
        const request = requestTls({
          host: '127.0.0.1',
          servername: HOST,
          rejectUnauthorized: false,
          agent: false,
          port: proxy.https,
          ...options,
        });
        request.on('response', (response) => {
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            parts.push(part);
            finish();
          });
          response.on('end', () => {
            resolve(parts);
          });
          response.on('error', reject);
        });
        request.on('error', reject);
        request.end();
      });
      expect(parts).toEqual(['first', 'second']);
    });
  }
});
