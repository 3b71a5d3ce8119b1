// A whole session from bytes: the module answers every step as the native build of the same code did.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fromHex, load, recording } from './support/module.mjs';

test('a session among bots, step by step', async () => {
  const module = await load();
  const { wasm } = module;
  const fieldCount = module.schema().find((table) => table.table === 'fighter').fields.length;
  const steps = recording().session;
  const seen = { snapshots: 0, corrections: 0, predictions: 0, types: new Set() };
  for (const [index, step] of steps.entries()) {
    const at = `step ${index}`;
    if (step.hello !== undefined) {
      module.fill(fromHex(step.hello));
      assert.equal(module.outbox(wasm.hello_ticket()).toString('hex'), step.message, at);
      continue;
    }
    if (step.input !== undefined) {
      assert.equal(module.outbox(module.input(step.tick, ...step.input)).toString('hex'), step.message, at);
      assert.equal(wasm.predicted_tick() >>> 0, step.tick, at);
    } else {
      assert.equal(module.receive(fromHex(step.receive)), step.flags, at);
      const records = (step.flags & 2) === 0 ? '' : module.outbox().toString('utf8');
      assert.equal(records, step.records, at);
      for (const line of records.split('\n').filter((line) => line !== '')) seen.types.add(JSON.parse(line).type);
      assert.equal(wasm.snapshot_tick() >>> 0, step.tick, at);
      assert.equal(module.hash(), step.hash, at);
      assert.deepEqual(module.integers(wasm.correction_ptr(), 2), step.correction, at);
      seen.snapshots += step.flags & 1;
      seen.corrections += step.correction.some((value) => value !== 0) ? 1 : 0;
    }
    assert.deepEqual(module.predicted(fieldCount), step.predicted, at);
    seen.predictions += step.predicted === null ? 0 : 1;
  }
  assert.ok(seen.snapshots > 500 && seen.corrections > 5 && seen.predictions > 500, JSON.stringify(seen));
  const all = ['closing', 'desync', 'game', 'joined', 'left', 'pong', 'results', 'welcome'];
  assert.deepEqual([...seen.types].sort(), all);
});

test('tables are read where they lie', async () => {
  const module = await load();
  const { wasm } = module;
  const steps = recording().session;
  module.receive(fromHex(steps.find((step) => step.receive !== undefined).receive));
  const schema = module.schema();
  const fighters = schema.findIndex((table) => table.table === 'fighter');
  const scores = schema.findIndex((table) => table.table === 'score');
  assert.equal(wasm.table_rows(scores), 6);
  const rows = wasm.table_rows(fighters);
  assert.ok(rows > 0);
  const ids = module.integers(wasm.table_ids_ptr(fighters), rows);
  assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b), 'ids rise');
  const players = module.integers(wasm.column_ptr(fighters, schema[fighters].fields.indexOf('player')), rows);
  const health = module.integers(wasm.column_ptr(fighters, schema[fighters].fields.indexOf('health')), rows);
  assert.deepEqual([...players].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5].slice(0, rows));
  assert.ok(health.every((value) => value === 100));
});
