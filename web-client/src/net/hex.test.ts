import { expect, it } from 'vitest';
import { fromHex } from './wasm';

it('reads pairs of digits and nothing else', () => {
  expect([...fromHex('00ff7A')]).toEqual([0, 255, 122]);
  expect(() => fromHex('abc')).toThrow();
  expect(() => fromHex('zz')).toThrow();
});
