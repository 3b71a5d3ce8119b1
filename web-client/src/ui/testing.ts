// Stand-ins for tests of the page.
import type { Stores } from './storage';

/** A browser's storage in memory. */
export class FakeStorage implements Storage {
  readonly items: Map<string, string>;

  constructor(items = new Map<string, string>()) {
    this.items = items;
  }

  get length(): number {
    return this.items.size;
  }

  clear = (): void => {
    this.items.clear();
  };
  key = (index: number): string | null => [...this.items.keys()][index] ?? null;
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => {
    this.items.set(key, value);
  };
  removeItem = (key: string): void => {
    this.items.delete(key);
  };
}

/** The two storages of one tab. */
export function stores(): Stores & { readonly tabStorage: FakeStorage; readonly browserStorage: FakeStorage } {
  const [tabStorage, browserStorage] = [new FakeStorage(), new FakeStorage()];
  return { tabStorage, browserStorage, tab: () => tabStorage, browser: () => browserStorage };
}
