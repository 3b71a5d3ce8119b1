import { describe, expect, it } from 'vitest';
import type { Results, RosterEntry } from '@tickwire/client';
import { headline, resultLines, voteNote } from './results-model';

const RESULTS: Results = {
  type: 'results',
  ranking: [
    { player: 2, score: 70 },
    { player: 1, score: 20 },
    { player: 3, score: 20 },
  ],
  rematchBy: 900,
};

const roster = new Map<number, RosterEntry>([
  [1, { player: 1, name: 'Ada', bot: false, presence: 'here' }],
  [2, { player: 2, name: 'Euler', bot: true, presence: 'here' }],
]);

describe('resultLines', () => {
  it('takes the order from the server and remembers the names of those who left', () => {
    const lines = resultLines(RESULTS, roster, 1, null, new Map([[3, 'Bo']]));
    expect(lines.map(({ name, bot, own, rank, deaths }) => [name, bot, own, rank, deaths])).toEqual([
      ['Euler', true, false, 1, null],
      ['Ada', false, true, 2, null],
      ['Bo', false, false, 2, null],
    ]);
  });

  it('has no name for who was never seen', () => {
    expect(resultLines(RESULTS, roster, 1, null, new Map())[2]?.name).toBe('Someone who left');
  });
});

describe('headline', () => {
  it('is about the viewer, or the winner for who was not in it', () => {
    expect(headline(resultLines(RESULTS, roster, 2, null, new Map()))).toBe('You won!');
    expect(headline(resultLines(RESULTS, roster, 1, null, new Map()))).toBe('You came 2nd');
    expect(headline(resultLines(RESULTS, roster, 9, null, new Map()))).toBe('Euler won');
    expect(headline([])).toBe('Match over');
  });
});

describe('voteNote', () => {
  it('counts down and then says what happens', () => {
    expect(voteNote('open', 1.2)).toContain('Vote within 2 s');
    expect(voteNote('open', 0)).toContain('The vote is over');
    expect(voteNote('voted', 0.4)).toContain('in 1 s');
    expect(voteNote('voted', -3)).toBe('It starts again now…');
    expect(voteNote('seated', 7)).toContain('You are in for the next round');
    expect(voteNote('seated', 0)).toBe('The next round starts now…');
  });

  it('says why the match is over', () => {
    expect(voteNote('over', 0, true)).toBe('This match is over.');
    expect(voteNote('over', 0, false)).toContain('no vote from you');
  });
});
