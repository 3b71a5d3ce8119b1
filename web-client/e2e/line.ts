// The line between a browser and a server, for tests to spoil: it passes everything on, unless it is told what to do with WebSockets, or with
// what stands in for them.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of a WebSocket that is opened. */
export type Treatment = 'pass' | 'refuse' | 'swallow';

interface Pair {
  readonly browser: Socket;
  readonly server: Socket;
  isWebSocket: boolean;
}

export class Line {
  /** The server's page, over this line. */
  readonly url: string;
  /** WebSockets that were asked for so far. */
  opened = 0;
  treatment: Treatment = 'pass';
  /** What becomes of the requests that stand in for a WebSocket. */
  overHttp: Treatment = 'pass';
  private readonly listener: Server;
  private readonly pairs = new Set<Pair>();
  private isHeld = false;
  private held: (() => void)[] = [];

  private constructor(listener: Server) {
    this.listener = listener;
    this.url = `http://127.0.0.1:${String((listener.address() as AddressInfo).port)}/`;
  }

  /** A line to the server at `target`. */
  static async to(target: string): Promise<Line> {
    const { hostname, port } = new URL(target);
    const listener = createServer((browser) => {
      line.accept(browser, connect(Number(port), hostname));
    });
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve);
    });
    const line = new Line(listener);
    return line;
  }

  /** All WebSockets break, as when a phone changes networks. */
  cut(): void {
    for (const pair of this.pairs) if (pair.isWebSocket) this.end(pair);
  }

  /** From now on nothing arrives from the server over WebSockets; `release` delivers it all at once. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    for (const deliver of this.held.splice(0)) deliver();
  }

  async stop(): Promise<void> {
    for (const pair of this.pairs) this.end(pair);
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private accept(browser: Socket, server: Socket): void {
    const pair: Pair = { browser, server, isWebSocket: false };
    this.pairs.add(pair);
    for (const socket of [browser, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.end(pair);
      });
    }
    browser.on('data', (data) => {
      if (this.overHttp !== 'pass' && /^POST \/stream\b/.test(data.toString('latin1'))) {
        if (this.overHttp === 'refuse') this.end(pair);
        else browser.removeAllListeners('data');
        return;
      }
      if (/^GET \/ws\b/.test(data.toString('latin1'))) {
        pair.isWebSocket = true;
        this.opened += 1;
        if (this.treatment === 'refuse') this.end(pair);
        if (this.treatment === 'swallow') browser.removeAllListeners('data');
        if (this.treatment !== 'pass') return;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      const deliver = (): void => {
        if (!browser.destroyed) browser.write(data);
      };
      if (this.isHeld && pair.isWebSocket) this.held.push(deliver);
      else deliver();
    });
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    pair.browser.destroy();
    pair.server.destroy();
  }
}
