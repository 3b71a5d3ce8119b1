import { expect, it } from 'vitest';
import { KeyedRows } from './keyed-rows';

interface Item {
  readonly id: string;
  readonly text: string;
}

/** Enough of an element to hold others. */
class FakeElement {
  text = '';
  children: FakeElement[] = [];
  replaced = 0;

  replaceChildren(...children: FakeElement[]): void {
    this.replaced += 1;
    this.children = children;
  }
}

it('keeps an element for as long as its item is shown, and touches nothing if nothing came, went or moved', () => {
  const parent = new FakeElement();
  const rows = new KeyedRows<Item, Element>({
    parent: parent as unknown as Element,
    key: ({ id }) => id,
    make: () => new FakeElement() as unknown as Element,
    fill: (row, { text }) => {
      (row as unknown as FakeElement).text = text;
    },
  });
  const texts = (): string[] => parent.children.map(({ text }) => text);

  rows.show([
    { id: 'a', text: 'one' },
    { id: 'b', text: 'two' },
  ]);
  const [a, b] = parent.children;
  rows.show([
    { id: 'a', text: 'three' },
    { id: 'b', text: 'two' },
  ]);
  expect([texts(), parent.replaced]).toEqual([['three', 'two'], 1]);
  rows.show([
    { id: 'b', text: 'two' },
    { id: 'a', text: 'three' },
    { id: 'c', text: 'four' },
  ]);
  expect(parent.children.slice(0, 2)).toEqual([b, a]);
  rows.show([]);
  rows.show([{ id: 'a', text: 'five' }]);
  expect(texts()).toEqual(['five']);
  expect(parent.children[0], 'what went away does not come back').not.toBe(a);
});
