// What stands in front of a server elsewhere: a reverse proxy below a path, and another site's page.
import { createServer, request, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What becomes of a WebSocket: it may be refused, never answered, cut once it is open, or after the first of its bytes. */
export type Fault = 'pass' | 'refuse' | 'hang' | 'cut' | 'cut_later';

export interface ProxyOptions {
  /** Where the server is found on the proxy, as in `/games/arena/`. */
  readonly path: string;
  /** The `Host` that the server is told, if not the browser's. */
  readonly host?: string;
  /** Answers are passed on when they are whole. */
  readonly buffers?: boolean;
}

export class Site {
  readonly origin: string;
  webSockets: Fault = 'pass';
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
    // The server itself forgets those that were upgraded.
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  /** A page with nothing on it, on any path. */
  static blank(): Promise<Site> {
    return Site.listen(
      createServer((_, response) => {
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>');
      }),
    );
  }

  /** Passes everything below `path` on to `target`, without that path. */
  static async proxy(target: string, options: ProxyOptions): Promise<Site> {
    const passOn = (incoming: IncomingMessage): ReturnType<typeof request> => {
      const path = (incoming.url ?? '/').replace(options.path, '/');
      const headers = { ...incoming.headers, host: options.host ?? incoming.headers.host ?? '' };
      return request(new URL(path, target), { method: incoming.method ?? 'GET', headers });
    };
    const answer: RequestListener = (incoming, response) => {
      if (!(incoming.url ?? '').startsWith(options.path)) {
        response.writeHead(404).end();
        return;
      }
      const upstream = passOn(incoming);
      upstream.on('response', (from) => {
        const head = (): void => {
          response.writeHead(from.statusCode ?? 502, from.headers);
        };
        if (options.buffers !== true) {
          head();
          from.pipe(response);
          return;
        }
        const parts: Buffer[] = [];
        from.on('data', (part: Buffer) => parts.push(part));
        from.on('end', () => {
          head();
          response.end(Buffer.concat(parts));
        });
      });
      upstream.on('error', () => response.destroy());
      response.on('close', () => upstream.destroy());
      incoming.pipe(upstream);
    };
    const server = createServer(answer);
    server.on('upgrade', (incoming, socket) => {
      socket.on('error', () => socket.destroy());
      if (site.webSockets === 'hang') return;
      if (site.webSockets === 'refuse') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      const upstream = passOn(incoming);
      const head = (from: IncomingMessage): string =>
        `HTTP/1.1 ${String(from.statusCode)} ${from.statusMessage ?? ''}\r\n` +
        `${from.rawHeaders.map((text, at) => text + (at % 2 === 0 ? ': ' : '\r\n')).join('')}\r\n`;
      upstream.on('upgrade', (from, stream) => {
        socket.write(head(from));
        stream.on('error', () => socket.destroy());
        if (site.webSockets === 'cut') {
          setImmediate(() => socket.destroy());
          stream.destroy();
          return;
        }
        if (site.webSockets === 'cut_later') {
          stream.once('data', (first) => {
            socket.write(first, () => socket.destroy());
            stream.destroy();
          });
          socket.pipe(stream);
          return;
        }
        stream.pipe(socket).pipe(stream);
        socket.on('error', () => stream.destroy());
      });
      upstream.on('response', (from) => {
        socket.write(head(from));
        from.pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      upstream.end();
    });
    const site = await Site.listen(server);
    return site;
  }

  private static async listen(server: Server): Promise<Site> {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Site(server);
  }

  async stop(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.server.close(resolve));
  }
}
