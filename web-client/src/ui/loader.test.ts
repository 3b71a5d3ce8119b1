import { expect, it } from 'vitest';
import type * as MatchCode from '../match';
import { FakeReplica } from '@tickwire/client/testing';
import { Loader } from './loader';

it('loads both parts at once, once, and again after a failure', async () => {
  const started: string[] = [];
  let broken = true;
  const loader = new Loader({
    match: () => {
      started.push('match');
      return Promise.resolve({} as typeof MatchCode);
    },
    replica: () => {
      started.push('replica');
      return broken ? Promise.reject(new Error('offline')) : Promise.resolve(new FakeReplica());
    },
  });
  await expect(loader.load()).rejects.toThrow('offline');
  expect(loader.loaded).toBeNull();
  broken = false;
  await Promise.all([loader.load(), loader.load()]);
  expect(started).toEqual(['match', 'replica', 'match', 'replica']);
  expect(loader.loaded).toBe(await loader.load());
});
