// Plays for a test: walks round the walls to another fighter, by key events made in the page, and fires at it with the mouse.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { followView, toScreen } from '../packages/arena/src/camera';
import type { Vector } from '../packages/arena/src/controls';
import { readMap, type ArenaMap } from '../packages/arena/src/map';
import { state } from './fixtures';

const MODULE = fileURLToPath(new URL('../src/generated/tickwire.wasm', import.meta.url));
const CELL = 50;
/** A fighter's radius and what it drifts between two decisions. */
const CLEARANCE = 40;
const SHOTS_MAX = 60;
/** Longer than a fighter needs between two shots. */
const SHOT_MS = 300;
/** What a shot needs to pass a wall. */
const SHOT_ROOM = 12;
/** A shot gets further. */
const RANGE = 600;

/** Until `done`, or for so many shots. Where the page draws slowly that takes longer, and no more of them. */
export async function hunt(hunter: Page, done: () => Promise<boolean>): Promise<void> {
  const map = await loadMap();
  const { width, height } = hunter.viewportSize() ?? { width: 1280, height: 800 };
  for (let shot = 0; shot < SHOTS_MAX && !(await done()); shot += 1) {
    const prey = (await state(hunter)).fighters.find((fighter) => !fighter.own);
    if (!prey) continue;
    await hunter.evaluate(walk, { ways: waysTo(map, prey), cell: CELL, across: cellsAcross(map) });
    const { own } = await state(hunter);
    if (!own) continue;
    const place = toScreen(followView(own, map, width, height), own, width, height);
    const distance = Math.max(1, Math.hypot(prey.x - own.x, prey.y - own.y));
    await hunter.mouse.move(place.x + ((prey.x - own.x) / distance) * 30, place.y + ((prey.y - own.y) / distance) * 30);
    await hunter.mouse.down();
    await hunter.waitForTimeout(SHOT_MS);
    await hunter.mouse.up();
  }
}

interface Walk {
  /** The cell to go to next, for each cell; itself where the walk ends, -1 where nothing leads there. */
  readonly ways: readonly number[];
  /** A cell's side. */
  readonly cell: number;
  /** Cells in a row. */
  readonly across: number;
}

/**
 * Runs in the page: holds the keys towards the next cell until there is none. It decides once a frame, as a player does; asked from
 * outside, a page that draws slowly would answer too late. However far it went past a corner, from there a way leads on.
 */
function walk({ ways, cell, across }: Walk): Promise<void> {
  const hold = (code: string, wanted: boolean): void => {
    window.dispatchEvent(new KeyboardEvent(wanted ? 'keydown' : 'keyup', { code, bubbles: true }));
  };
  const head = (x: number, y: number): void => {
    hold('KeyA', x < -cell / 4);
    hold('KeyD', x > cell / 4);
    hold('KeyW', y < -cell / 4);
    hold('KeyS', y > cell / 4);
  };
  return new Promise((resolve) => {
    const decide = (): void => {
      const own = window.tickwire?.own;
      const here = own ? Math.floor(own.y / cell) * across + Math.floor(own.x / cell) : -1;
      const next = ways[here] ?? -1;
      if (!own || next === -1 || next === here) {
        head(0, 0);
        resolve();
        return;
      }
      head(((next % across) + 0.5) * cell - own.x, (Math.floor(next / across) + 0.5) * cell - own.y);
      requestAnimationFrame(decide);
    };
    decide();
  });
}

/** Whether a shot from anywhere in a cell around `from` to another place meets no wall. */
function isClear(map: ArenaMap, from: Vector, to: Vector): boolean {
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 10);
  return Array.from({ length: steps }, (_, step) => step / steps).every((part) => {
    const [x, y] = [from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part];
    return !isNearWall(map, { x, y }, SHOT_ROOM + CELL * Math.SQRT1_2 * (1 - part));
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
    ask: (question: number, count: number) => number;
  };
  return readMap({
    ask: (question) => {
      const pointer = wasm.ask(question, 0);
      const [length] = new Int32Array(wasm.memory.buffer, pointer, 1);
      return new Int32Array(wasm.memory.buffer, pointer + Int32Array.BYTES_PER_ELEMENT, length);
    },
  });
}

const cellsAcross = (map: ArenaMap): number => Math.ceil(map.width / CELL);

/** For each cell the next one on a shortest way to where a shot meets `to`, found from there backwards. */
function waysTo(map: ArenaMap, to: Vector): number[] {
  const across = cellsAcross(map);
  const down = Math.ceil(map.height / CELL);
  const middle = (cell: number): Vector => ({
    x: ((cell % across) + 0.5) * CELL,
    y: (Math.floor(cell / across) + 0.5) * CELL,
  });
  const isFree = (cell: number): boolean => !isNearWall(map, middle(cell), CLEARANCE);
  const ways = Array.from({ length: across * down }, () => -1);
  const queue: number[] = [];
  for (const cell of ways.keys()) {
    const place = middle(cell);
    if (Math.hypot(to.x - place.x, to.y - place.y) < RANGE && isFree(cell) && isClear(map, place, to)) {
      ways[cell] = cell;
      queue.push(cell);
    }
  }
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
      if (column + dx < 0 || column + dx >= across || row + dy < 0 || row + dy >= down || ways[next] !== -1) continue;
      ways[next] = cell;
      if (isFree(next)) queue.push(next);
    }
  }
  return ways;
}
