import { describe, expect, it } from 'vitest';
import { retryOf } from './close';

describe('retryOf', () => {
  it('treats an unknown reason as a lost seat', () => {
    expect(['solar_flare', 'constructor', 'too_slow', 'wrong_schema', 'unreadable'].map(retryOf)).toEqual([
      'rejoin',
      'rejoin',
      'resume',
      'reload',
      'reload',
    ]);
  });
});
