import { describe, expect, it } from 'vitest';
import { actionOf, aimOf, keysToMove, stickToMove } from './controls';

describe('keysToMove', () => {
  it.each([
    [['KeyW'], 0, -127],
    [['ArrowRight'], 127, 0],
    [['KeyA', 'KeyD'], 0, 0],
    [['KeyW', 'KeyD'], 90, -90],
    [['KeyW', 'ArrowUp'], 0, -127],
    [['KeyQ'], 0, 0],
  ] as const)('%j moves %i, %i', (keys, x, y) => {
    expect(keysToMove(new Set(keys))).toEqual({ x, y });
  });
});

describe('stickToMove', () => {
  it('is still in the dead zone and full at the rim and beyond', () => {
    expect(stickToMove(5, 0, 56)).toEqual({ x: 0, y: 0 });
    expect(stickToMove(56, 0, 56)).toEqual({ x: 127, y: 0 });
    expect(stickToMove(0, -400, 56)).toEqual({ x: 0, y: -127 });
  });

  it('grows in between', () => {
    const half = stickToMove(28, 0, 56).x;
    expect(half).toBeGreaterThan(30);
    expect(half).toBeLessThan(100);
  });
});

describe('aimOf', () => {
  it('counts a turn clockwise on screen from the right', () => {
    expect(aimOf(1, 0)).toBe(0);
    expect(aimOf(0, 1)).toBe(16_384);
    expect(aimOf(-1, 0)).toBe(32_768);
    expect(aimOf(0, -1)).toBe(49_152);
    expect(aimOf(1, -1e-9)).toBe(0);
    expect(aimOf(0, 0)).toBeNull();
  });
});

it('knows keys by their place', () => {
  expect(actionOf('Space')).toBe('dash');
  expect(actionOf('Enter')).toBeNull();
});
