// Plays for a test: walks round the walls to another fighter and keeps firing at it, with keys and mouse only.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { followView, toScreen } from '../src/arena/camera';
import type { Vector } from '../src/arena/controls';
import { parseMap, type ArenaMap } from '../src/arena/map';
import { state } from './fixtures';

const MODULE = fileURLToPath(new URL('../src/generated/tickwire.wasm', import.meta.url));
const CELL = 50;
/** A fighter's radius and what it drifts between two decisions. */
const CLEARANCE = 40;
const DECIDE_MS = 100;

/** Until `done`, or for `timeoutMs`. */
export async function hunt(hunter: Page, done: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const map = await loadMap();
  const { width, height } = hunter.viewportSize() ?? { width: 1280, height: 800 };
  const deadline = Date.now() + timeoutMs;
  await hunter.mouse.move(width / 2, height / 2);
  await hunter.mouse.down();
  while (Date.now() < deadline && !(await done())) {
    const { own, fighters } = await state(hunter);
    const prey = fighters.find((fighter) => !fighter.own);
    if (own && prey) {
      const place = toScreen(followView(own, map, width, height), own, width, height);
      const distance = Math.max(1, Math.hypot(prey.x - own.x, prey.y - own.y));
      await hunter.mouse.move(
        place.x + ((prey.x - own.x) / distance) * 30,
        place.y + ((prey.y - own.y) / distance) * 30,
      );
      const next = nextStep(map, own, prey);
      await hold(hunter, 'KeyA', 'KeyD', next.x - own.x);
      await hold(hunter, 'KeyW', 'KeyS', next.y - own.y);
    }
    await hunter.waitForTimeout(DECIDE_MS);
  }
  await hunter.mouse.up();
  for (const key of ['KeyW', 'KeyA', 'KeyS', 'KeyD']) await hunter.keyboard.up(key);
}

async function hold(page: Page, negative: string, positive: string, way: number): Promise<void> {
  await page.keyboard[way < -CELL / 4 ? 'down' : 'up'](negative);
  await page.keyboard[way > CELL / 4 ? 'down' : 'up'](positive);
}

/** The walls as the page knows them: from the same module. */
async function loadMap(): Promise<ArenaMap> {
  const { instance } = await WebAssembly.instantiate(readFileSync(MODULE));
  const wasm = instance.exports as unknown as {
    memory: WebAssembly.Memory;
    map_json: () => number;
    outbox_ptr: () => number;
  };
  const length = wasm.map_json();
  return parseMap(JSON.parse(new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, wasm.outbox_ptr(), length))));
}

/** The middle of the cell to go to next on a shortest way, found from the prey backwards. */
function nextStep(map: ArenaMap, from: Vector, to: Vector): Vector {
  const across = Math.ceil(map.width / CELL);
  const down = Math.ceil(map.height / CELL);
  const cellOf = (place: Vector): number => Math.floor(place.y / CELL) * across + Math.floor(place.x / CELL);
  const middle = (cell: number): Vector => ({
    x: ((cell % across) + 0.5) * CELL,
    y: (Math.floor(cell / across) + 0.5) * CELL,
  });
  const open = (cell: number): boolean => {
    const { x, y } = middle(cell);
    return !map.walls.some(
      (wall) =>
        x > wall.x - CLEARANCE &&
        x < wall.x + wall.w + CLEARANCE &&
        y > wall.y - CLEARANCE &&
        y < wall.y + wall.h + CLEARANCE,
    );
  };
  const start = cellOf(from);
  const queue = [cellOf(to)];
  const seen = new Set(queue);
  for (const cell of queue) {
    const column = cell % across;
    const row = Math.floor(cell / across);
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      const next = cell + dy * across + dx;
      if (column + dx < 0 || column + dx >= across || row + dy < 0 || row + dy >= down || seen.has(next)) continue;
      if (next === start) return middle(cell);
      if (!open(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return to;
}
