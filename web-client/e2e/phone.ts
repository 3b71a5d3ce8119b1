// A phone's screens, and where things are on them.
import type { Page } from '@playwright/test';

export const ORIENTATIONS = [
  ['upright', { width: 390, height: 844 }],
  ['on its side', { width: 844, height: 390 }],
] as const;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function boxOf(page: Page, id: string): Promise<Box> {
  const box = await page.getByTestId(id).boundingBox();
  if (!box) throw new Error(`${id} is not on the screen`);
  return box;
}

export function meet(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

export function isInside(box: Box, { width, height }: { width: number; height: number }): boolean {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
}
