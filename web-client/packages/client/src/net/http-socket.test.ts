import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpSocket, Records, records } from './http-socket';

const URL_OF_STREAM = 'https://play.example/games/stream?guest=5c';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const untext = (value: Uint8Array): string => new TextDecoder().decode(value);

interface Asked {
  readonly path: string;
  readonly secret: string | null;
  readonly body: Uint8Array;
  readonly answer: (response: Response) => void;
  readonly fail: () => void;
}

/** A server that answers when the test says. */
function server(): { readonly asked: Asked[]; readonly fetcher: typeof fetch } {
  const asked: Asked[] = [];
  const fetcher: typeof fetch = (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(input as string);
      init?.signal?.addEventListener('abort', () => {
        reject(new DOMException('aborted', 'AbortError'));
      });
      asked.push({
        path: url.pathname + url.search,
        secret: new Headers(init?.headers).get('authorization'),
        body: init?.body as Uint8Array,
        answer: resolve,
        fail: () => {
          reject(new TypeError('network'));
        },
      });
    });
  return { asked, fetcher };
}

async function opened(path: 'stream' | 'poll'): Promise<{ socket: HttpSocket; asked: Asked[]; heard: string[] }> {
  const { asked, fetcher } = server();
  const socket = new HttpSocket({ url: URL_OF_STREAM, path, fetcher });
  const heard: string[] = [];
  socket.onopen = () => {
    socket.send(text('hello'));
  };
  socket.onmessage = ({ data }) => heard.push(untext(new Uint8Array(data as ArrayBuffer)));
  socket.onclose = () => heard.push('closed');
  socket.onbuffered = () => heard.push('buffered');
  socket.start();
  expect([asked[0]?.path, asked[0]?.secret, socket.readyState]).toEqual(['/games/stream?guest=5c', null, 0]);
  expect(asked[0]?.body).toEqual(records([text('hello')]));
  asked[0]?.answer(Response.json({ stream: 'c0ffee' }, { status: 201 }));
  await vi.advanceTimersByTimeAsync(0);
  return { socket, asked, heard };
}

const batch = (number: number, ...messages: string[]): number[] => [number, 0, 0, 0, ...records(messages.map(text))];
const ups = (asked: Asked[]): Asked[] => asked.filter(({ path }) => path.endsWith('/up'));
const taken = (): Response => new Response(null, { status: 204 });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Records', () => {
  it('reads messages however they are cut', () => {
    const bytes = records([text('first'), new Uint8Array(), text('second')]);
    for (let piece = 1; piece <= bytes.length; piece += 1) {
      const reader = new Records();
      const heard: string[] = [];
      for (let at = 0; at < bytes.length; at += piece) {
        heard.push(...reader.take(bytes.slice(at, at + piece)).map(untext));
      }
      expect(heard).toEqual(['first', '', 'second']);
    }
    expect(() => new Records().take(new Uint8Array([255, 255, 255, 255]))).toThrow();
  });
});

describe('HttpSocket', () => {
  it('hears what one response brings, and closes with it', async () => {
    const { socket, asked, heard } = await opened('stream');
    expect([socket.readyState, asked[1]?.path, asked[1]?.secret]).toEqual([1, '/games/stream/down', 'Bearer c0ffee']);
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    asked[1]?.answer(new Response(body.readable));
    await writer.write(records([text('welcome'), text('a')]).slice(0, 13));
    await writer.write(records([text('welcome'), text('a')]).slice(13));
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual(['welcome', 'a']);
    await writer.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual(['welcome', 'a', 'closed']);
  });

  it('says that a response is held back, with or without its head', async () => {
    for (const hasHead of [false, true]) {
      const { asked, heard } = await opened('stream');
      if (hasHead) asked[1]?.answer(new Response(new TransformStream().readable));
      await vi.advanceTimersByTimeAsync(2_000);
      expect(heard).toEqual([]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(heard).toEqual(['buffered']);
    }
  });

  it('has one batch on its way, and says meanwhile what waits for the next', async () => {
    const { socket, asked } = await opened('stream');
    for (const word of ['a', 'b', 'c']) socket.send(text(word));
    expect(ups(asked).map(({ body }) => [...body])).toEqual([batch(0, 'a')]);
    ups(asked)[0]?.answer(taken());
    await vi.advanceTimersByTimeAsync(0);
    expect([...(ups(asked)[1]?.body ?? [])]).toEqual(batch(1, 'b', 'c'));
    ups(asked)[1]?.answer(taken());
    await vi.advanceTimersByTimeAsync(0);
    for (let index = 0; index < 100; index += 1) socket.send(new Uint8Array(200));
    ups(asked)[2]?.answer(taken());
    await vi.advanceTimersByTimeAsync(0);
    expect(ups(asked)[3]?.body.length, 'no more than the server takes').toBeLessThanOrEqual(4096);
  });

  it('sends a batch again whose answer was lost, under its number', async () => {
    const { socket, asked, heard } = await opened('stream');
    socket.send(text('a'));
    ups(asked)[0]?.fail();
    await vi.advanceTimersByTimeAsync(300);
    expect(ups(asked).map(({ body }) => [...body])).toEqual([batch(0, 'a'), batch(0, 'a')]);
    ups(asked)[1]?.answer(new Response(null, { status: 404 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(heard, 'a refusal is the end').toEqual(['closed']);
  });

  it('polls with numbers, asks again for an answer that was lost, and shows life when asked', async () => {
    const { socket, asked, heard } = await opened('poll');
    const polls = (): Asked[] => asked.filter(({ path }) => path.endsWith('/poll'));
    polls()[0]?.answer(new Response(records([text('welcome')])));
    await vi.advanceTimersByTimeAsync(0);
    polls()[1]?.fail();
    await vi.advanceTimersByTimeAsync(300);
    polls()[2]?.answer(new Response(records([new Uint8Array()])));
    await vi.advanceTimersByTimeAsync(0);
    expect(polls().map(({ body }) => body[0])).toEqual([0, 1, 1, 2]);
    expect(ups(asked).map(({ body }) => [...body])).toEqual([batch(0)]);
    expect(heard).toEqual(['welcome']);
    socket.close();
  });

  it('says what was said before it closes, and then gives up its response', async () => {
    const { socket, asked, heard } = await opened('stream');
    socket.send(text('a'));
    socket.send(text('leave'));
    socket.close();
    ups(asked)[0]?.answer(taken());
    await vi.advanceTimersByTimeAsync(0);
    expect([...(ups(asked)[1]?.body ?? [])]).toEqual(batch(1, 'leave'));
    ups(asked)[1]?.answer(taken());
    await vi.advanceTimersByTimeAsync(0);
    expect([socket.readyState, heard]).toEqual([3, []]);
  });
});
