import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from '../testing';
import { Paths, type HttpSocketLike, type Path, type PathMemory } from './path';

class FakeHttp extends FakeSocket implements HttpSocketLike {
  onbuffered: (() => void) | null = null;
  readonly path: Exclude<Path, 'websocket'>;
  /** It was, and somebody listened. */
  isStarted = false;

  constructor(path: Exclude<Path, 'websocket'>) {
    super();
    this.path = path;
  }

  start(): void {
    this.isStarted = this.onopen !== null;
  }
}

class Memory implements PathMemory {
  path: Path = 'websocket';
  get = (): Path => this.path;
  set = (path: Path): void => {
    this.path = path;
  };
}

interface Bench {
  readonly memory: Memory;
  readonly webSockets: FakeSocket[];
  readonly https: FakeHttp[];
  readonly paths: Paths;
  /** What was told of the socket that was opened last. */
  readonly told: string[];
  readonly open: () => void;
}

function bench(openHttp?: () => Promise<HttpSocketLike>, hasUntried = (): boolean => false): Bench {
  const memory = new Memory();
  const webSockets: FakeSocket[] = [];
  const https: FakeHttp[] = [];
  const told: string[] = [];
  const paths = new Paths({
    memory,
    openWebSocket: () => {
      const socket = new FakeSocket();
      webSockets.push(socket);
      return socket;
    },
    openHttp:
      openHttp ??
      ((path) => {
        const socket = new FakeHttp(path);
        https.push(socket);
        return Promise.resolve(socket);
      }),
    now: () => Date.now(),
    hasUntried,
  });
  const open = (): void => {
    const socket = paths.open();
    socket.onopen = () => told.push('open');
    socket.onmessage = () => told.push('message');
    socket.onclose = () => told.push('close');
  };
  return { memory, webSockets, https, paths, told, open };
}

const settle = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(0);
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Paths', () => {
  it('stays with a WebSocket that works', async () => {
    const { webSockets, https, paths, told, open } = bench();
    open();
    webSockets[0]?.open();
    webSockets[0]?.receive({});
    await vi.advanceTimersByTimeAsync(60_000);
    webSockets[0]?.drop();
    expect([told, https.length, paths.path]).toEqual([['open', 'message', 'close'], 0, 'websocket']);
  });

  it('goes over HTTP when the WebSocket is refused, hangs, brings nothing or closes before it did', async () => {
    const faults: ((socket: FakeSocket | undefined) => Promise<unknown>)[] = [
      async (socket) => {
        socket?.drop();
        await settle();
      },
      () => vi.advanceTimersByTimeAsync(3_000),
      async (socket) => {
        socket?.open();
        await vi.advanceTimersByTimeAsync(3_000);
      },
      async (socket) => {
        socket?.open();
        socket?.drop();
        await settle();
      },
    ];
    for (const fault of faults) {
      const { memory, webSockets, https, paths, told, open } = bench();
      open();
      await fault(webSockets[0]);
      expect(https.map(({ isStarted }) => isStarted)).toEqual([true]);
      expect(memory.path, 'it has not brought anything yet').toBe('websocket');
      https[0]?.open();
      https[0]?.receive({});
      expect([paths.path, memory.path, told.slice(-2)]).toEqual(['stream', 'stream', ['open', 'message']]);
      expect(webSockets[0]?.readyState).toBe(3);
    }
  });

  it('takes two WebSockets in a row that broke soon after their first message for cut', async () => {
    for (const [livedMs, webSocketsThen, httpsThen] of [
      [10, 2, 1],
      [10_000, 3, 0],
    ] as const) {
      const { webSockets, https, told, open } = bench();
      for (const lasts of [10, livedMs]) {
        open();
        webSockets.at(-1)?.open();
        webSockets.at(-1)?.receive({});
        await vi.advanceTimersByTimeAsync(lasts);
        webSockets.at(-1)?.drop();
        expect(told.splice(0)).toEqual(['open', 'message', 'close']);
      }
      open();
      await settle();
      expect([webSockets.length, https.length]).toEqual([webSocketsThen, httpsThen]);
    }
  });

  it('leaves what does not open to another address, once a WebSocket has worked here', async () => {
    let untried = true;
    const { memory, webSockets, https, told, open } = bench(undefined, () => untried);
    open();
    webSockets[0]?.drop();
    await settle();
    expect(https, 'WebSockets may be blocked here').toHaveLength(1);
    memory.path = 'websocket';
    open();
    webSockets[1]?.open();
    webSockets[1]?.receive({});
    webSockets[1]?.drop();
    told.splice(0);
    open();
    webSockets[2]?.drop();
    await settle();
    open();
    await vi.advanceTimersByTimeAsync(1_250);
    expect([told, https.length, webSockets[3]?.readyState]).toEqual([['close', 'close'], 1, 3]);
    untried = false;
    open();
    webSockets[4]?.drop();
    await settle();
    expect(https, 'all were tried').toHaveLength(2);
  });

  it('asks for each message where the response is held back', async () => {
    const { memory, webSockets, https, paths, open } = bench();
    open();
    webSockets[0]?.drop();
    await settle();
    https[0]?.onbuffered?.();
    await settle();
    expect(https.map((socket) => [socket.path, socket.closed])).toEqual([
      ['stream', true],
      ['poll', false],
    ]);
    https[1]?.receive({});
    expect([memory.path, paths.path]).toEqual(['poll', 'poll']);
  });

  it('remembers the way, and forgets it when nothing comes of it', async () => {
    const { memory, webSockets, https, told, open } = bench();
    memory.path = 'poll';
    open();
    await settle();
    expect([webSockets.length, https[0]?.path]).toEqual([0, 'poll']);
    https[0]?.drop();
    expect([told, memory.path]).toEqual([['close'], 'websocket']);
    open();
    expect(webSockets).toHaveLength(1);
  });

  it('is closed when no way works, and opens nothing after it was', async () => {
    const { webSockets, told, open, paths } = bench(() => Promise.reject(new Error('no such file')));
    open();
    webSockets[0]?.drop();
    await settle();
    expect(told).toEqual(['close']);
    paths.open().close();
    webSockets[1]?.drop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(webSockets).toHaveLength(2);
  });
});
