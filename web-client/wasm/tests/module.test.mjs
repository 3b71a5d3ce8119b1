// What the module promises its host: no imports, the exports net/wasm.ts calls, and an answer to everything.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import test from 'node:test';
import { MAP, load, moduleBytes } from './support/module.mjs';

const EXPORTS = [
  'ask', 'bots', 'column_ptr', 'correction_ptr', 'hello_resume', 'hello_ticket', 'inbox_cap', 'inbox_ptr', 'input',
  'leave', 'memory', 'outbox_len', 'outbox_ptr', 'ping', 'predicted_ptr', 'predicted_tick', 'protocol_version',
  'ready', 'receive', 'rematch', 'reset', 'schema_hash_hi', 'schema_hash_lo', 'schema_json', 'snapshot_tick',
  'start_match', 'state_hash_hi', 'state_hash_lo', 'table_ids_ptr', 'table_rows',
]; // prettier-ignore

test('the module imports nothing and exports what the page calls', async () => {
  const module = await WebAssembly.compile(moduleBytes());
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const names = WebAssembly.Module.exports(module).map((entry) => entry.name);
  assert.deepEqual(
    names.filter((name) => !name.startsWith('__')).sort(),
    EXPORTS,
  );
});

test('its weight', (t) => {
  const bytes = moduleBytes();
  t.diagnostic(`${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
});

test('the schema is JSON', async () => {
  const module = await load();
  const schema = module.schema();
  assert.deepEqual(
    schema.map((table) => table.table),
    ['match', 'fighter', 'shot', 'pickup', 'score', 'zone', 'leader'],
  );
  assert.ok(schema.every((table) => table.fields.length > 0));
});

test('a question is answered with as many numbers as there are, one that is none with nothing', async () => {
  const module = await load();
  const [width, height, ...walls] = module.ask(MAP);
  assert.deepEqual([width, height], [64_000, 64_000]);
  assert.ok(walls.length > 20 * 4 && walls.length % 4 === 0);
  for (let wall = 0; wall < walls.length; wall += 4) {
    const [x, y, w, h] = walls.slice(wall, wall + 4);
    assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= width && y + h <= height);
  }
  assert.deepEqual(module.ask(99, 1, 2, 3), []);
  assert.ok(module.wasm.ask(MAP, 0xffff_ffff) > 0);
});

test('before a match everything is empty', async () => {
  const module = await load();
  const { wasm } = module;
  assert.equal(wasm.snapshot_tick(), 0);
  assert.equal(wasm.table_rows(1), 0);
  assert.equal(wasm.table_ids_ptr(1), 0);
  assert.equal(wasm.column_ptr(99, 99), 0);
  assert.equal(wasm.predicted_ptr(), 0);
  assert.ok(module.input(5, 127, -127, 1 << 14, 3) > 0);
});

test('bytes that are no message are refused, and a reset makes a new start', async () => {
  const module = await load();
  assert.equal(module.receive(Buffer.from('certainly not a message')), -1);
  assert.equal(module.wasm.receive(module.wasm.inbox_cap() + 1), -2);
  module.wasm.reset();
  assert.equal(module.receive(Buffer.alloc(0)), 0);
});

test('messages are a few bytes', async () => {
  const module = await load();
  const { wasm } = module;
  assert.deepEqual([wasm.leave(), wasm.rematch()], [1, 1]);
  assert.equal(wasm.ping(200), 2);
  assert.ok(module.input(100_000, 1, 2, 3, 0) <= 12);
});
