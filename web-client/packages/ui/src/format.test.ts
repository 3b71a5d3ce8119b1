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
