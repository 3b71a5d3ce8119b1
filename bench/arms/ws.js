// @ts-check
// Plain `ws`, as people write it by hand: a timer per match, the whole state serialised once per tick and sent to everybody.
// `node ws.js ws-json` or `node ws.js ws-binary`.

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { announce } from "./ready.js";
import { TICK_RATE, World } from "./game.js";

/** How often dead connections are looked for, ms: what the documentation of `ws` suggests. */
const HEARTBEAT_MS = 30_000;

/**
 * @typedef {import("./game.js").Input} Input
 * @typedef {Map<string, import("./game.js").Fighter>} Fighters
 * @typedef {Map<string, import("./game.js").Shot>} Shots
 */

class Match {
  /** @type {Fighters} */
  #fighters = new Map();
  /** @type {Shots} */
  #shots = new Map();
  /** The newest input of each player, held until the next. @type {Map<string, Input>} */
  #inputs = new Map();
  /** @type {Set<WebSocket>} */
  #sockets = new Set();
  #world = new World(this.#fighters, this.#shots, () => ({ x: 0, y: 0 }));
  #tick = 0;
  #nextPlayer = 0;
  #timer = setInterval(() => this.#step(), 1000 / TICK_RATE);

  /** @param {Codec} codec */
  constructor(codec) {
    this.codec = codec;
  }

  /** @param {WebSocket} socket */
  join(socket) {
    const player = String(this.#nextPlayer++);
    const fighter = { x: 0, y: 0, aim: 0, health: 0 };
    this.#world.spawn(fighter);
    this.#fighters.set(player, fighter);
    this.#sockets.add(socket);
    socket.on("message", (data) => {
      const input = this.codec.decode(/** @type {Buffer} */ (data));
      if (input !== null) this.#inputs.set(player, input);
    });
    socket.on("close", () => {
      this.#fighters.delete(player);
      this.#inputs.delete(player);
      this.#sockets.delete(socket);
    });
  }

  get isEmpty() {
    return this.#sockets.size === 0;
  }

  end() {
    clearInterval(this.#timer);
  }

  #step() {
    this.#tick += 1;
    for (const [player, fighter] of this.#fighters) {
      const input = this.#inputs.get(player);
      if (input !== undefined) {
        this.#world.act(player, fighter, input);
        input.fire = false;
      }
    }
    this.#world.moveShots();
    const update = this.codec.encode(this.#tick, this.#fighters, this.#shots);
    for (const socket of this.#sockets) {
      if (socket.readyState === WebSocket.OPEN) socket.send(update);
    }
  }
}

/**
 * @typedef {{
 *   encode(tick: number, fighters: Fighters, shots: Shots): string | Buffer,
 *   decode(data: Buffer): Input | null,
 * }} Codec
 */

/** @type {Codec} */
const json = {
  encode(tick, fighters, shots) {
    const players = [];
    for (const [id, fighter] of fighters) {
      const { x, y, aim, health } = fighter;
      players.push({ id: Number(id), x: tenths(x), y: tenths(y), aim: hundredths(aim), health });
    }
    const projectiles = [];
    for (const [id, shot] of shots) projectiles.push({ id: Number(id), x: tenths(shot.x), y: tenths(shot.y) });
    return JSON.stringify({ tick, players, projectiles });
  },
  decode(data) {
    try {
      return JSON.parse(data.toString());
    } catch {
      return null;
    }
  },
};

/** @param {number} value */
const tenths = (value) => Math.round(value * 10) / 10;
/** @param {number} value */
const hundredths = (value) => Math.round(value * 100) / 100;

/**
 * Little endian. Tick u32, fighters u8, shots u8; a fighter: id u8, x u16, y u16 (1/16 unit), aim u8 (1/256 turn), health u8; a shot:
 * id u16, x u16, y u16.
 * @type {Codec}
 */
const binary = {
  encode(tick, fighters, shots) {
    const update = Buffer.allocUnsafe(6 + 7 * fighters.size + 6 * shots.size);
    const view = new DataView(update.buffer, update.byteOffset, update.byteLength);
    view.setUint32(0, tick, true);
    view.setUint8(4, fighters.size);
    view.setUint8(5, shots.size);
    let at = 6;
    for (const [id, fighter] of fighters) {
      view.setUint8(at, Number(id));
      view.setUint16(at + 1, fighter.x * 16, true);
      view.setUint16(at + 3, fighter.y * 16, true);
      view.setUint8(at + 5, (fighter.aim / (2 * Math.PI)) * 256);
      view.setUint8(at + 6, fighter.health);
      at += 7;
    }
    for (const [id, shot] of shots) {
      view.setUint16(at, Number(id), true);
      view.setUint16(at + 2, shot.x * 16, true);
      view.setUint16(at + 4, shot.y * 16, true);
      at += 6;
    }
    return update;
  },
  decode(data) {
    if (data.length !== 9) return null;
    return { x: data.readInt8(4), y: data.readInt8(5), aim: data.readUInt16LE(6), fire: data.readUInt8(8) !== 0 };
  },
};

const codec = process.argv[2] === "ws-binary" ? binary : json;
/** @type {Map<string, Match>} */
const matches = new Map();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4096 });
/** Those that have not answered the last heartbeat. @type {WeakSet<WebSocket>} */
const silent = new WeakSet();
const http = createServer((_request, response) => {
  response.writeHead(404).end();
});

http.on("upgrade", (request, socket, head) => {
  const name = /^\/match\/(\w+)$/.exec(request.url ?? "")?.[1];
  if (name === undefined) {
    socket.destroy();
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on("error", () => client.terminate());
    client.on("pong", () => silent.delete(client));
    const match = matches.get(name) ?? new Match(codec);
    matches.set(name, match);
    match.join(client);
    client.on("close", () => {
      if (match.isEmpty) {
        match.end();
        matches.delete(name);
      }
    });
  });
});

setInterval(() => {
  for (const client of sockets.clients) {
    if (silent.has(client)) {
      client.terminate();
    } else {
      silent.add(client);
      client.ping();
    }
  }
}, HEARTBEAT_MS);

http.listen(0, "127.0.0.1", () => announce(http.address()));
