// What the module promises its host: no imports, the exports net/wasm.ts calls, and an answer to everything.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import test from 'node:test';
import { load, moduleBytes } from './support/module.mjs';

const EXPORTS = [
  'bots', 'column_ptr', 'correction_ptr', 'hello_resume', 'hello_ticket', 'inbox_cap', 'inbox_ptr', 'input', 'leave',
  'map_json', 'memory', 'outbox_len', 'outbox_ptr', 'ping', 'predicted_ptr', 'predicted_tick', 'protocol_version',
  'ready', 'receive', 'rematch', 'reset', 'schema_hash_hi', 'schema_hash_lo', 'schema_json', 'shot_flight_ptr',
  'snapshot_tick', 'start_match', 'state_hash_hi', 'state_hash_lo', 'table_ids_ptr', 'table_rows',
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

test('the schema and the map are JSON', async () => {
  const module = await load();
  const schema = module.schema();
  assert.deepEqual(
    schema.map((table) => table.table),
    ['match', 'fighter', 'shot', 'pickup', 'score', 'zone', 'leader'],
  );
  assert.ok(schema.every((table) => table.fields.length > 0));
  const map = JSON.parse(module.outbox(module.wasm.map_json()).toString('utf8'));
  assert.equal(map.width, 64000);
  assert.ok(map.walls.length > 20);
  assert.ok(map.walls.every(({ x, y, w, h }) => x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 64000 && y + h <= 64000));
});

test('before a match everything is empty', async () => {
  const { wasm } = await load();
  assert.equal(wasm.snapshot_tick(), 0);
  assert.equal(wasm.table_rows(1), 0);
  assert.equal(wasm.table_ids_ptr(1), 0);
  assert.equal(wasm.column_ptr(99, 99), 0);
  assert.equal(wasm.predicted_ptr(), 0);
  assert.ok(wasm.input(5, 127, -127, 1 << 14, 3) > 0);
});

test('bytes that are no message are refused, and a reset makes a new start', async () => {
  const module = await load();
  assert.equal(module.receive(Buffer.from('certainly not a message')), -1);
  assert.equal(module.wasm.receive(module.wasm.inbox_cap() + 1), -2);
  module.wasm.reset();
  assert.equal(module.receive(Buffer.alloc(0)), 0);
});

test('messages are a few bytes', async () => {
  const { wasm } = await load();
  assert.deepEqual([wasm.leave(), wasm.rematch()], [1, 1]);
  assert.equal(wasm.ping(200), 2);
  assert.ok(wasm.input(100_000, 1, 2, 3, 0) <= 12);
});
