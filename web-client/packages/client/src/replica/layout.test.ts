import { describe, expect, it } from 'vitest';
import { layoutOf } from './layout';

const SCHEMA = [
  { table: 'match', fields: ['phase'] },
  { table: 'runner', fields: ['player', 'lane', 'speed'] },
];

describe('layoutOf', () => {
  it('finds tables and fields by name, in whatever order they are asked for', () => {
    expect(layoutOf({ runner: ['speed', 'player'], match: ['phase'] }, SCHEMA)).toEqual({
      runner: { table: 1, fields: { speed: 2, player: 0 } },
      match: { table: 0, fields: { phase: 0 } },
    });
  });

  it('refuses a module of another build', () => {
    expect(() => layoutOf({ coin: ['value'] }, SCHEMA)).toThrow('the schema has no table coin');
    expect(() => layoutOf({ runner: ['height'] }, SCHEMA)).toThrow('the table runner has no field height');
  });
});
