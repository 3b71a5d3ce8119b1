import type { Container } from 'pixi.js';
import { expect, it } from 'vitest';
import { KeyedViews } from './keyed-views';

it('makes a view for each row once, and destroys it when its row is gone', () => {
  const destroyed: number[] = [];
  const layer: unknown[] = [];
  const drawn: (readonly [number, number])[] = [];
  const views = new KeyedViews(
    { addChild: (view: unknown) => layer.push(view) } as unknown as Container,
    ({ id }) => ({ id, destroy: () => destroyed.push(id) }),
    (view) => view as unknown as Container,
  );
  const show = (...ids: readonly number[]): void => {
    views.show(
      ids.map((id) => ({ id })),
      (view, row) => drawn.push([view.id, row.id]),
    );
  };

  show(1, 2);
  show(2, 3);
  expect(drawn).toEqual([1, 2, 2, 3].map((id) => [id, id]));
  expect([layer.length, destroyed]).toEqual([3, [1]]);
  expect([views.get({ id: 1 }), views.get({ id: 3 })?.id]).toEqual([undefined, 3]);
  show();
  expect(destroyed).toEqual([1, 2, 3]);
});
