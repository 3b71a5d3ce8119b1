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
/** What a shot needs to pass a wall. */
const SHOT_ROOM = 12;
/** A shot gets further. */
const RANGE = 600;

/** Until `done`, or for `timeoutMs`. Asks little of the page: on a busy machine every call to it takes a while. */
export async function hunt(hunter: Page, done: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const map = await loadMap();
  const { width, height } = hunter.viewportSize() ?? { width: 1280, height: 800 };
  const deadline = Date.now() + timeoutMs;
  const held = new Set<string>();
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
      const next = distance < RANGE && isClear(map, own, prey) ? own : nextStep(map, own, prey);
      await holdOnly(hunter, held, keysTowards(next.x - own.x, next.y - own.y));
    }
    await hunter.waitForTimeout(DECIDE_MS);
  }
  await hunter.mouse.up();
  await holdOnly(hunter, held, []);
}

function keysTowards(x: number, y: number): string[] {
  const axis = (way: number, negative: string, positive: string): string[] =>
    Math.abs(way) < CELL / 4 ? [] : [way < 0 ? negative : positive];
  return [...axis(x, 'KeyA', 'KeyD'), ...axis(y, 'KeyW', 'KeyS')];
}

async function holdOnly(page: Page, held: Set<string>, keys: readonly string[]): Promise<void> {
  for (const key of [...held].filter((key) => !keys.includes(key))) {
    await page.keyboard.up(key);
    held.delete(key);
  }
  for (const key of keys.filter((key) => !held.has(key))) {
    await page.keyboard.down(key);
    held.add(key);
  }
}

/** Whether a shot from one place to another meets no wall. */
function isClear(map: ArenaMap, from: Vector, to: Vector): boolean {
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 10);
  return Array.from({ length: steps }, (_, step) => step / steps).every((part) => {
    const [x, y] = [from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part];
    return !isNearWall(map, { x, y }, SHOT_ROOM);
  });
}

function isNearWall(map: ArenaMap, { x, y }: Vector, room: number): boolean {
  return map.walls.some(
    (wall) => x > wall.x - room && x < wall.x + wall.w + room && y > wall.y - room && y < wall.y + wall.h + room,
  );
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
  const open = (cell: number): boolean => !isNearWall(map, middle(cell), CLEARANCE);
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
