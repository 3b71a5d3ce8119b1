import { expect, it } from 'vitest';
import { closeSentence } from './close-sentences';

it('tells any reason in a sentence, also one that only a newer server knows', () => {
  expect(closeSentence('match_gone')).toBe('That match has ended.');
  expect(['solar_flare', 'constructor', ''].map(closeSentence)).toEqual(
    Array(3).fill('The server closed the connection.'),
  );
});
