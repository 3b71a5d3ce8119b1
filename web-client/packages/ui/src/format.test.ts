import { describe, expect, it } from 'vitest';
import {
  formatBytesPerSecond,
  formatClock,
  formatDuration,
  formatMicroseconds,
  formatOrdinal,
  formatPing,
  formatSpan,
} from './format';
import { matchLine } from './match-line';
import { socketUrl } from '../net/route';

describe('formats', () => {
  it('spans are told in their largest unit', () => {
    expect([300, 150, 90, 60, 1].map(formatSpan)).toEqual([
      '5 minutes',
      '3 minutes',
      '90 seconds',
      '1 minute',
      '1 second',
    ]);
  });

  it('clocks end at zero', () => {
    expect([300, 59.2, 0.4, 0, -3].map(formatClock)).toEqual(['5:00', '1:00', '0:01', '0:00', '0:00']);
  });

  it('ordinals', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102].map(formatOrdinal)).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '13th',
      '21st',
      '102nd',
    ]);
  });

  it('quantities keep to three digits or so', () => {
    expect([0, 999, 1_500, 2_340_000].map(formatBytesPerSecond)).toEqual(['0 B/s', '999 B/s', '1.5 kB/s', '2.3 MB/s']);
    expect([90, 1_234, 12_345].map(formatMicroseconds)).toEqual(['90 µs', '1.23 ms', '12.3 ms']);
    expect([5, 65, 3_700, 200_000].map(formatDuration)).toEqual(['5 s', '1 min 5 s', '1 h 1 min', '2 d 7 h']);
    expect([null, 41.6].map(formatPing)).toEqual(['– ms', '42 ms']);
  });
});

describe('matchLine', () => {
  it('names mode, seats and phase', () => {
    const match = { id: 'a', mode: 'ffa', phase: 'live', players: 1, bots: 5, max_players: 16 } as const;
    const modes = [{ id: 'ffa', title: 'Free for all', max_players: 16, tick_rate: 30 }];
    expect(matchLine(match, modes)).toBe('Free for all · 1 player of 16 + 5 bots · live');
    expect(matchLine({ ...match, bots: 0, players: 2 }, [])).toBe('ffa · 2 players of 16 · live');
  });
});

describe('socketUrl', () => {
  it('follows the page, or goes where the server says', () => {
    expect(socketUrl('/ws', 'http://127.0.0.1:8080/?join=X')).toBe('ws://127.0.0.1:8080/ws');
    expect(socketUrl('/ws', 'https://play.example/')).toBe('wss://play.example/ws');
    expect(socketUrl('wss://node3.example/ws', 'https://play.example/')).toBe('wss://node3.example/ws');
  });
});
