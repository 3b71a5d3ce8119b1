// @ts-check
// A real client of the Colyseus arm: `node canary.js URL SECONDS [colyseus-messages]`. Joins, plays, decodes every state with the SDK,
// and prints what it saw as JSON: states; fighters that moved, fighters that turned and shots in flight per state; and the share of its
// own ticks in which it moved as it asked to.

import { Client } from "@colyseus/sdk";

const [, , url = "", seconds = "3", arm = "colyseus"] = process.argv;
const room = await new Client(url).joinOrCreate("arena");
const input = arm === "colyseus-messages" ? null : room.input();

let sent = 0;
let direction = 1;
const timer = setInterval(() => {
  sent += 1;
  // Long enough one way that the few states of the turn do not matter.
  direction = Math.floor(sent / 30) % 2 === 0 ? 1 : -1;
  const held = { x: 127 * direction, y: 40, aim: (sent * 300) % 65536, fire: false };
  if (input === null) {
    room.send("input", { seq: sent, ...held });
  } else {
    Object.assign(/** @type {object} */ (input.data), held);
    input.send();
  }
}, 1000 / 30);

/** @type {Map<string, { x: number, y: number, aim: number }>} */
let before = new Map();
const seen = { states: 0, moved: 0, turned: 0, shots: 0, own: 0, obeyed: 0 };
room.onStateChange((state) => {
  /** @type {Map<string, { x: number, y: number, aim: number }>} */
  const now = new Map();
  for (const [player, fighter] of state.fighters) now.set(player, { x: fighter.x, y: fighter.y, aim: fighter.aim });
  if (before.size > 0) {
    seen.states += 1;
    seen.shots += state.shots.size;
    for (const [player, { x, y, aim }] of now) {
      const last = before.get(player);
      if (last !== undefined && (last.x !== x || last.y !== y)) seen.moved += 1;
      if (last !== undefined && last.aim !== aim) seen.turned += 1;
    }
    const [last, own] = [before.get(room.sessionId), now.get(room.sessionId)];
    if (sent > 10 && last !== undefined && own !== undefined && own.x !== last.x) {
      seen.own += 1;
      if (Math.sign(own.x - last.x) === direction) seen.obeyed += 1;
    }
  }
  before = now;
});

setTimeout(() => {
  clearInterval(timer);
  const states = Math.max(seen.states, 1);
  const obeyed = seen.obeyed / Math.max(seen.own, 1);
  const [movers, turners, shots] = [seen.moved, seen.turned, seen.shots].map((sum) => sum / states);
  process.stdout.write(`${JSON.stringify({ states: seen.states, movers, turners, shots, obeyed })}\n`);
  process.exit(0);
}, Number(seconds) * 1000);
