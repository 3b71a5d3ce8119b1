// The ways to the server from this tab, along the route of one match.
import { Paths, type Route, type SocketLike } from '@tickwire/client';
import type { PageStorage } from './storage';

/** What is found to work is kept in `storage`. */
export function pathsAlong(route: Route, storage: PageStorage): Paths {
  return new Paths({
    memory: {
      get: () => storage.path,
      set: (path) => {
        storage.path = path;
      },
    },
    openWebSocket: () => new WebSocket(route.socketUrl) as SocketLike,
    hasUntried: () => route.hasUntried,
    // Few need it: its code comes when it is needed.
    openHttp: async (path) => {
      const { HttpSocket } = await import('@tickwire/client/http-socket');
      return new HttpSocket({ url: route.streamUrl, path });
    },
  });
}
