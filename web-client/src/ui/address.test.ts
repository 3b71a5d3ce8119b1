import { expect, it } from 'vitest';
import { addressWith } from './address';

it('puts the code of a match into the address and takes it out, and leaves the rest', () => {
  const page = 'https://play.example/games/arena/?record=';
  const link = addressWith(page, 'K7Q2MD');
  expect(link).toBe('https://play.example/games/arena/?record=&join=K7Q2MD');
  expect(addressWith(link, 'ABCDEF')).toBe('https://play.example/games/arena/?record=&join=ABCDEF');
  expect(addressWith(link, null)).toBe(page);
  expect(addressWith('https://play.example/?join=K7Q2MD', null)).toBe('https://play.example/');
});
