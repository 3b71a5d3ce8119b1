// The simulation is the same in the browser and on the server: movement and shots, compared at every tick.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Hash, SHOT_FLIGHT, fromHex, load, recording } from './support/module.mjs';

test('10,000 ticks of movement and shots hash the same as natively', async () => {
  const module = await load();
  const replay = recording().replay;
  const fields = module.schema().find((table) => table.table === 'fighter').fields;
  const [x, y, aim, fireReady] = ['x', 'y', 'aim', 'fire_ready'].map((name) => fields.indexOf(name));
  assert.ok(module.receive(fromHex(replay.start)) > 0);
  const hash = new Hash();
  let shots = [];
  let row = module.predicted(fields.length);
  let flown = 0;
  for (const [index, held] of replay.inputs.entries()) {
    const tick = replay.first_tick + index;
    const readyBefore = row[fireReady];
    module.input(tick, ...held);
    row = module.predicted(fields.length);
    if (row[fireReady] !== readyBefore) shots.push({ from: [row[x], row[y], row[aim]], born: tick });
    hash.words(row);
    shots = shots.filter(({ from, born }) => {
      const flight = module.ask(SHOT_FLIGHT, ...from, tick - born);
      hash.words(flight);
      flown += 1;
      return flight[2] === 1;
    });
    assert.equal(hash.hex(), replay.hashes[index], `tick ${tick}`);
  }
  assert.equal(replay.inputs.length, 10_000);
  assert.ok(flown > 1000, `${flown} shot ticks`);
});
