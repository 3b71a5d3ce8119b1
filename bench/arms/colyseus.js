// @ts-check
// Colyseus 0.18, written as its documentation recommends where bandwidth and rate matter: quantised fields, a fixed step, inputs
// through `defineInput`, and a patch per tick. `node colyseus.js colyseus-messages` takes inputs as room messages instead, which
// costs less CPU and more bandwidth.

import { Room, defineRoom, defineServer } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { announce } from "./ready.js";
import { SEAT_COUNT, SIDE, TICK_RATE, World } from "./game.js";

const Fighter = schema(
  {
    x: t.quantized({ min: 0, max: SIDE }),
    y: t.quantized({ min: 0, max: SIDE }),
    aim: t.angle({ bits: 8 }),
    health: t.uint8(),
  },
  "Fighter",
);
const Shot = schema({ x: t.quantized({ min: 0, max: SIDE }), y: t.quantized({ min: 0, max: SIDE }) }, "Shot");
const Arena = schema({ fighters: t.map(Fighter), shots: t.map(Shot) }, "Arena");
const Input = schema({ x: t.int8(), y: t.int8(), aim: t.uint16(), fire: t.boolean() }, "Input");

class ArenaRoom extends Room {
  maxClients = SEAT_COUNT;
  patchRate = 1000 / TICK_RATE;
  state = new Arena();
  world = new World(this.state.fighters, this.state.shots, () => new Shot());

  /** @param {import("@colyseus/core").Client} client */
  onJoin(client) {
    const fighter = new Fighter();
    fighter.aim = 0;
    this.world.spawn(fighter);
    this.state.fighters.set(client.sessionId, fighter);
  }

  /** @param {import("@colyseus/core").Client} client */
  onLeave(client) {
    this.state.fighters.delete(client.sessionId);
  }
}

class InputRoom extends ArenaRoom {
  // A tick that finds no input goes on with the last one, as Tickwire's do.
  inputs = this.defineInput(Input, { idle: (context) => context.latest ?? true });

  onCreate() {
    this.setFixedTimestep(() => {
      for (const [player, fighter] of this.state.fighters) {
        const input = this.inputs.get(player).next();
        if (input) this.world.act(player, fighter, input);
      }
      this.world.moveShots();
    }, TICK_RATE);
  }
}

class MessageRoom extends ArenaRoom {
  /** The newest input of each player, held until the next. @type {Map<string, import("./game.js").Input>} */
  latest = new Map();

  onCreate() {
    this.onMessage("input", (client, input) => {
      this.latest.set(client.sessionId, input);
    });
    this.setFixedTimestep(() => {
      for (const [player, fighter] of this.state.fighters) {
        const input = this.latest.get(player);
        if (input !== undefined) {
          this.world.act(player, fighter, input);
          input.fire = false;
        }
      }
      this.world.moveShots();
    }, TICK_RATE);
  }

  /** @param {import("@colyseus/core").Client} client */
  onLeave(client) {
    super.onLeave(client);
    this.latest.delete(client.sessionId);
  }
}

const transport = new WebSocketTransport();
const server = defineServer({
  transport,
  greet: false,
  rooms: { arena: defineRoom(process.argv[2] === "colyseus-messages" ? MessageRoom : InputRoom) },
});
await server.listen(0, "127.0.0.1");
announce(transport.server?.address());
