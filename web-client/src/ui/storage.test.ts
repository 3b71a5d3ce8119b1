import { describe, expect, it } from 'vitest';
import { PageStorage, type Stores } from './storage';
import { FakeStorage, stores } from './testing';

const SEAT = {
  matchId: 'm1',
  token: 'r1',
  code: 'K7Q2MD',
  wsUrl: 'ws',
  alternates: ['wss://b.example/ws?guest=5c'],
  via: 'create',
  settings: { mode: 'ffa', private: true, lobby: true, bots: true },
} as const;
/** Asked anew, whatever was set. */
const token = (storage: PageStorage): string | null => storage.session?.token ?? null;
const session = (token: string): { token: string; requestedName: string; name: string } => ({
  token,
  requestedName: 'Ada',
  name: 'Ada',
});

const forbidden = (): never => {
  throw new DOMException('The operation is insecure.', 'SecurityError');
};
/** Storage may be forbidden as a whole, or in each of its calls. */
class ForbiddenStorage extends FakeStorage {
  override getItem = forbidden;
  override setItem = forbidden;
  override removeItem = forbidden;
}

describe('PageStorage', () => {
  it('outlives a reload', () => {
    const kept = stores();
    const before = new PageStorage(kept);
    before.seat = SEAT;
    before.session = session('s1');
    before.name = 'Ada';
    const after = new PageStorage(kept);
    expect(after.seat).toEqual(SEAT);
    expect(after.session).toEqual(session('s1'));
    expect(after.name).toBe('Ada');
    after.seat = null;
    expect(new PageStorage(kept).seat).toBeNull();
  });

  it.each<[string, Stores]>([
    ['as a whole', { tab: forbidden, browser: forbidden }],
    ['in each call', { tab: () => new ForbiddenStorage(), browser: () => new ForbiddenStorage() }],
  ])('keeps everything in memory where storage is forbidden %s', (_, forbiddenStores) => {
    const storage = new PageStorage(forbiddenStores);
    expect([storage.seat, storage.session, storage.name]).toEqual([null, null, '']);
    storage.seat = SEAT;
    storage.session = session('s1');
    storage.name = 'Ada';
    expect(storage.seat).toEqual(SEAT);
    expect(token(storage)).toBe('s1');
    expect(storage.name).toBe('Ada');
    storage.seat = null;
    storage.session = null;
    expect([storage.seat, storage.session]).toEqual([null, null]);
  });

  it('does not bring back what it could not overwrite', () => {
    const kept = stores();
    new PageStorage(kept).name = 'Ada';
    const full = new FakeStorage(kept.browserStorage.items);
    full.setItem = forbidden;
    const storage = new PageStorage({ ...kept, browser: () => full });
    storage.name = 'Bo';
    expect(storage.name).toBe('Bo');
  });

  it('is the same person in another tab, and another one under another name', () => {
    const ada = stores();
    const first = new PageStorage(ada);
    first.session = session('s1');
    const second = new PageStorage({ ...stores(), browser: ada.browser });
    expect(token(second)).toBe('s1');
    second.session = { ...session('s2'), requestedName: 'Bo' };
    expect(token(first), 'the first tab stays who it was').toBe('s1');
    first.session = null;
    expect(token(second), 'and forgets only its own').toBe('s2');
    expect(token(new PageStorage({ ...stores(), browser: ada.browser }))).toBe('s2');
  });

  it.each(['garbage', '{"matchId":1}', 'null', '[]'])(
    'takes %s, which another build may have stored, for nothing',
    (json) => {
      const kept = stores();
      kept.tabStorage.setItem('tickwire.seat', json);
      expect(new PageStorage(kept).seat).toBeNull();
    },
  );

  it('does without settings that it does not understand', () => {
    const kept = stores();
    kept.tabStorage.setItem('tickwire.seat', JSON.stringify({ ...SEAT, settings: { mode: 'ffa' } }));
    expect(new PageStorage(kept).seat).toEqual({ ...SEAT, settings: null });
  });
});
