import { expect, it } from 'vitest';
import { fromHex, toHex } from './hex';

it('reads pairs of digits and nothing else', () => {
  expect([...fromHex('00ff7A')]).toEqual([0, 255, 122]);
  expect(toHex(fromHex('00ff7a'))).toBe('00ff7a');
  expect(() => fromHex('abc')).toThrow();
  expect(() => fromHex('zz')).toThrow();
});
