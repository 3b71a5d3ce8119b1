import { describe, expect, it } from 'vitest';
import { Route, socketUrl, streamUrl, type RouteOptions } from './route';

const route = (changes: Partial<RouteOptions> = {}): Route =>
  new Route({ wsUrl: 'ws?guest=5c', base: 'http://a.example:4001/', isSecure: false, random: () => 0.5, ...changes });

describe('Route', () => {
  it('is where the server said, and there is no other place without alternates', () => {
    const only = route();
    expect([only.socketUrl, only.streamUrl]).toEqual([
      'ws://a.example:4001/ws?guest=5c',
      'http://a.example:4001/stream?guest=5c',
    ]);
    only.failed();
    expect([only.hasOthers, only.hasUntried, only.pauseMs()]).toEqual([false, false, null]);
    expect(only.socketUrl).toBe('ws://a.example:4001/ws?guest=5c');
  });

  it('goes over HTTP to the same server, which has its own path', () => {
    const of = route({ wsUrl: 'ws://a.example/n/a/ws?guest=5c', alternates: ['ws://a.example/n/b/ws'] });
    expect(of.streamUrl).toBe('http://a.example/n/a/stream?guest=5c');
    of.failed();
    expect(of.streamUrl).toBe('http://a.example/n/b/stream?guest=5c');
    of.moveTo('wss://c.example/ws?guest=9');
    expect(of.streamUrl).toBe('https://c.example/stream?guest=9');
    expect(streamUrl('wss://sockets.example/ws?guest=5c', 'https://play.example/')).toBe(
      'https://play.example/stream?guest=5c',
    );
  });

  it('takes no more than eight others, none twice, and none that the page may not open', () => {
    const many = Array.from({ length: 12 }, (_, nth) => `wss://n${nth}.example/ws?guest=5c`);
    expect(route({ alternates: many }).wsUrls).toEqual(['ws?guest=5c', ...many.slice(0, 8)]);
    const secure = route({
      base: 'https://a.example/',
      isSecure: true,
      alternates: ['ws://b.example/ws', 'wss://b.example/ws', 'wss://b.example/ws', 'http://c.example/ws', 'http://['],
    });
    expect(secure.wsUrls).toEqual(['ws?guest=5c', 'wss://b.example/ws?guest=5c']);
    expect(secure.moveTo('n/b/ws')).toBe(true);
    expect(secure.socketUrl).toBe('wss://a.example/n/b/ws?guest=5c');
  });

  it('stays where there was a Welcome, and remembers the other places', () => {
    const of = route({ alternates: ['ws://b.example/ws', 'ws://c.example/ws'] });
    of.failed();
    of.arrived();
    expect(of.wsUrls.map((url) => url.split('?')[0])).toEqual(['ws://b.example/ws', 'ws', 'ws://c.example/ws']);
    of.moveTo('ws://d.example/ws');
    expect(of.wsUrls[0]).toBe('ws://d.example/ws?guest=5c');
    expect(of.wsUrls).toHaveLength(4);
  });

  it('asks often for some seconds only', () => {
    const of = route({ alternates: ['ws://b.example/ws'] });
    let waitedMs = 0;
    for (let pauseMs = of.pauseMs(); pauseMs !== null; pauseMs = of.pauseMs()) {
      expect(pauseMs).toBe(200);
      waitedMs += pauseMs;
    }
    expect(waitedMs).toBe(4_800);
    of.arrived();
    expect(of.pauseMs()).toBe(200);
  });

  it('does not grow with moves', () => {
    const of = route();
    for (let nth = 0; nth < 100; nth += 1) of.moveTo(`ws://n${nth}.example/ws`);
    expect(of.wsUrls).toHaveLength(9);
  });
});

describe('socketUrl', () => {
  it('follows the page, or goes where the server says', () => {
    expect(socketUrl('/ws', 'http://127.0.0.1:8080/?join=X')).toBe('ws://127.0.0.1:8080/ws');
    expect(socketUrl('/ws', 'https://play.example/')).toBe('wss://play.example/ws');
    expect(socketUrl('wss://node3.example/ws', 'https://play.example/')).toBe('wss://node3.example/ws');
  });
});
