import { describe, expect, it } from 'vitest';
import { matchLine } from './match-line';

describe('matchLine', () => {
  it('names mode, seats and phase', () => {
    const match = { id: 'a', mode: 'ffa', phase: 'live', players: 1, bots: 5, max_players: 16 } as const;
    const modes = [{ id: 'ffa', title: 'Free for all', max_players: 16, tick_rate: 30 }];
    expect(matchLine(match, modes)).toBe('Free for all · 1 player of 16 + 5 bots · live');
    expect(matchLine({ ...match, bots: 0, players: 2 }, [])).toBe('ffa · 2 players of 16 · live');
  });
});
