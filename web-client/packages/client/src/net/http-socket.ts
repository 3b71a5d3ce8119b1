// The messages of one connection over HTTP, for where no WebSocket gets through; see "Over HTTP" in docs/PROTOCOL.md.
//
// What is said goes out in numbered batches, one on its way at a time: what is said meanwhile waits for the next. One
// whose answer is lost is sent again under its number, which the server takes in once.
//
// Invariant: after `close` nothing is told any more; what was said before still goes out.
import { BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, SERVER_MESSAGE_BYTES_MAX } from '../replica/generated';
import type { HttpSocketLike, Path } from './path';
import { whenSilent } from './silence';

export interface HttpSocketOptions {
  /** Where connections are opened, with the query that says whose it is. */
  readonly url: string;
  readonly path: Exclude<Path, 'websocket'>;
  readonly fetcher?: typeof fetch;
}

/** A response that brings nothing for so long is held back on its way. */
const BUFFERED_MS = 2_500;
/** One that has lasted this long is known not to be. */
const PROVEN_MS = 20_000;
const RETRY_MS = 250;
const RETRIES_MAX = 4;
const LENGTH_BYTES = 4;
/** More than this waits only for a server that is gone. */
const WAITING_MAX = 512;
const OPENING = 0;
const OPEN = 1;
const CLOSED = 3;
const CREATED = 201;
const BUSY = new Set([429, 503]);

/** The server refused a request: asking again is of no use. */
class Refused extends Error {}

export class HttpSocket implements HttpSocketLike {
  binaryType: BinaryType = 'arraybuffer';
  readyState = OPENING;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onbuffered: (() => void) | null = null;
  readonly path: Exclude<Path, 'websocket'>;
  private readonly fetcher: typeof fetch;
  private readonly url: URL;
  private readonly down = new AbortController();
  private secret: string | null = null;
  private isHelloSaid = false;
  private waiting: Uint8Array[] = [];
  private batch = 0;
  private isSaying = false;
  /** The server asks for a sign of life. */
  private isAsked = false;

  constructor(options: HttpSocketOptions) {
    this.path = options.path;
    this.url = new URL(options.url);
    this.fetcher = options.fetcher ?? ((input, init) => fetch(input, init));
  }

  /** Whoever listens says Hello when told that it opens. */
  start(): void {
    this.onopen?.();
  }

  /** The first message is Hello, which opens the connection. */
  send(data: Uint8Array): void {
    if (!this.isHelloSaid) {
      this.isHelloSaid = true;
      void this.run(data);
      return;
    }
    this.waiting.push(data.slice());
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
    void this.say();
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    // The connection is lost when its response is given up: first what is still to be said.
    if (this.secret !== null && (this.isSaying || this.waiting.length > 0)) void this.say();
    else this.down.abort();
  }

  private async run(hello: Uint8Array): Promise<void> {
    try {
      const answer = await this.post('', records([hello]), true);
      if (answer.status !== CREATED) throw new Refused();
      this.secret = ((await answer.json()) as { stream: string }).stream;
      if (this.readyState === OPENING) this.readyState = OPEN;
      await (this.path === 'stream' ? this.stream() : this.poll());
    } catch {
      // However it ended, the connection is over.
    }
    this.end();
  }

  /** Reads one response for as long as the connection lasts. */
  private async stream(): Promise<void> {
    const reader = new Records();
    const startMs = performance.now();
    let stopWaiting: (() => void) | undefined;
    const wait = (): void => {
      stopWaiting?.();
      if (performance.now() - startMs > PROVEN_MS) return;
      stopWaiting = whenSilent(BUFFERED_MS, () => {
        if (this.readyState !== CLOSED) this.onbuffered?.();
      });
    };
    try {
      wait();
      const response = await this.post('/down', new Uint8Array(), true);
      if (!response.ok || !response.body) return;
      const body = response.body.getReader();
      for (;;) {
        const { done, value } = await body.read();
        if (done) return;
        wait();
        this.hear(reader.take(value));
      }
    } finally {
      stopWaiting?.();
    }
  }

  /** Asks for one answer after the other; one that is lost is asked for again. */
  private async poll(): Promise<void> {
    for (let number = 0; this.readyState !== CLOSED; number += 1) {
      const answer = await this.insist('/poll', word(number), true);
      this.hear(new Records().take(new Uint8Array(await answer.arrayBuffer())));
    }
  }

  private hear(messages: readonly Uint8Array<ArrayBuffer>[]): void {
    for (const message of messages) {
      if (this.readyState === CLOSED) return;
      if (message.length > 0) this.onmessage?.({ data: message.buffer });
      else {
        this.isAsked = true;
        void this.say();
      }
    }
  }

  private async say(): Promise<void> {
    if (this.isSaying || this.secret === null) return;
    this.isSaying = true;
    try {
      while (this.waiting.length > 0 || this.isAsked) {
        this.isAsked = false;
        await this.insist('/up', this.nextBatch(), false);
        this.batch += 1;
      }
    } catch {
      this.end();
    } finally {
      this.isSaying = false;
      if (this.readyState === CLOSED) this.down.abort();
    }
  }

  private nextBatch(): Uint8Array<ArrayBuffer> {
    let bytes = LENGTH_BYTES;
    let count = 0;
    for (const message of this.waiting) {
      bytes += LENGTH_BYTES + message.length;
      if (count === BATCH_MESSAGES_MAX || bytes > BATCH_BYTES_MAX) break;
      count += 1;
    }
    const body = records(this.waiting.splice(0, count));
    const batch = new Uint8Array(LENGTH_BYTES + body.length);
    batch.set(word(this.batch));
    batch.set(body, LENGTH_BYTES);
    return batch;
  }

  /** Asks until there is an answer: the same request has the same number, so the server does it once. */
  private async insist(path: string, body: Uint8Array<ArrayBuffer>, isDown: boolean): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await this.post(path, body, isDown);
        if (response.ok) return response;
        if (!BUSY.has(response.status)) throw new Refused();
      } catch (error) {
        if (error instanceof Refused || this.down.signal.aborted) throw error;
      }
      if (attempt === RETRIES_MAX) throw new Refused();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
    }
  }

  private post(path: string, body: Uint8Array<ArrayBuffer>, isDown: boolean): Promise<Response> {
    const url = new URL(this.url);
    const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
    if (this.secret !== null) {
      headers['authorization'] = `Bearer ${this.secret}`;
      url.search = '';
      url.pathname += path;
    }
    const init: RequestInit = { method: 'POST', headers, body, cache: 'no-store' };
    if (isDown) init.signal = this.down.signal;
    // What is said last outlives the page.
    else if (this.readyState === CLOSED) init.keepalive = true;
    return this.fetcher(url.href, init);
  }

  private end(): void {
    if (this.readyState === CLOSED) return;
    this.close();
    this.onclose?.();
  }
}

/** Messages as they come out of bodies, which may be cut anywhere. */
export class Records {
  private rest = new Uint8Array();

  /** The messages that are whole by now. */
  take(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const view = new DataView(all.buffer);
    const messages: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (at + LENGTH_BYTES <= all.length) {
      const length = view.getUint32(at, true);
      if (length > SERVER_MESSAGE_BYTES_MAX) throw new Refused();
      const end = at + LENGTH_BYTES + length;
      if (end > all.length) break;
      messages.push(all.slice(at + LENGTH_BYTES, end));
      at = end;
    }
    this.rest = all.slice(at);
    return messages;
  }
}

/** Messages with their lengths in front. */
export function records(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = messages.reduce((sum, message) => sum + LENGTH_BYTES + message.length, 0);
  const out = new Uint8Array(bytes);
  let at = 0;
  for (const message of messages) {
    out.set(word(message.length), at);
    out.set(message, at + LENGTH_BYTES);
    at += LENGTH_BYTES + message.length;
  }
  return out;
}

function word(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
