import { describe, expect, it } from 'vitest';
import type { Lobby, RosterEntry } from '@tickwire/client';
import { buildLobby, lobbyNews, type LobbyModel } from './lobby-model';

type Presence = RosterEntry['presence'];

function rosterOf(...people: readonly (readonly [number, string, Presence?])[]): ReadonlyMap<number, RosterEntry> {
  return new Map(people.map(([player, name, presence = 'here']) => [player, { player, name, bot: false, presence }]));
}

function lobbyOf(host: number | null, ready: readonly number[], bots = true): Lobby {
  return { type: 'lobby', host, bots, ready };
}

const THREE = rosterOf([4, 'Cy'], [0, 'Ada'], [2, 'Bo']);

describe('buildLobby', () => {
  it('lists people by seat, with the host, the ready and oneself marked', () => {
    const { people, isHost, isReady, alone } = buildLobby(lobbyOf(0, [2]), THREE, 2);
    expect(people.map(({ name, host, ready, own }) => [name, host, ready, own])).toEqual([
      ['Ada', true, false, false],
      ['Bo', false, true, true],
      ['Cy', false, false, false],
    ]);
    expect([isHost, isReady, alone]).toEqual([false, true, false]);
  });

  it('does not list bots, should there be any', () => {
    const roster = new Map(THREE);
    roster.set(9, { player: 9, name: 'Euler', bot: true, presence: 'here' });
    expect(buildLobby(lobbyOf(0, []), roster, 0).people).toHaveLength(3);
  });

  it('tells a host alone what a start would bring', () => {
    const one = rosterOf([0, 'Ada']);
    expect(buildLobby(lobbyOf(0, []), one, 0)).toMatchObject({ alone: true, isHost: true });
    expect(buildLobby(lobbyOf(0, []), one, 0).note).toContain('bots fill the free seats');
    expect(buildLobby(lobbyOf(0, [], false), one, 0).note).toContain('without bots you would be alone');
  });

  it('waits for nobody who is away, and for who is idle, because a lobby needs no input', () => {
    const roster = rosterOf([0, 'Ada'], [1, 'Bo', 'away'], [2, 'Cy', 'idle']);
    const { people, note, alone } = buildLobby(lobbyOf(0, [0]), roster, 0);
    expect(people.map((person) => person.away)).toEqual([false, true, false]);
    expect([note, alone]).toEqual(['You are ready. Waiting for Cy.', false]);
    expect(buildLobby(lobbyOf(0, []), rosterOf([0, 'Ada'], [1, 'Bo', 'away']), 0).alone).toBe(true);
  });

  it('says who starts the match', () => {
    expect(buildLobby(lobbyOf(0, [4]), THREE, 0).note).toBe(
      '1 of 3 ready. The match starts when everyone is, or when you start it.',
    );
    expect(buildLobby(lobbyOf(0, [4]), THREE, 2).note).toBe(
      '1 of 3 ready. The match starts when everyone is, or when Ada starts it.',
    );
    expect(buildLobby(lobbyOf(null, []), THREE, 2).note).toBe('0 of 3 ready. The match starts when everyone is.');
  });

  it('names two who are waited for, and counts more', () => {
    expect(buildLobby(lobbyOf(0, [2]), THREE, 2).note).toBe('You are ready. Waiting for Ada and Cy.');
    const four = new Map([...THREE, ...rosterOf([5, 'Di'])]);
    expect(buildLobby(lobbyOf(0, [2]), four, 2).note).toBe('You are ready. Waiting for 3 others.');
  });
});

describe('lobbyNews', () => {
  const before = buildLobby(lobbyOf(0, []), THREE, 2);
  const after = (lobby: Lobby, roster = THREE): LobbyModel => buildLobby(lobby, roster, 2);

  it('has none on opening and none when nothing changed', () => {
    expect(lobbyNews(null, before)).toBe('');
    expect(lobbyNews(before, before)).toBe('');
  });

  it('tells who comes, goes, is away and is ready, but not what oneself did', () => {
    expect(lobbyNews(before, after(lobbyOf(0, [0, 2])))).toBe('Ada is ready.');
    expect(lobbyNews(after(lobbyOf(0, [0])), before)).toBe('Ada is not ready.');
    expect(lobbyNews(before, after(lobbyOf(0, []), rosterOf([0, 'Ada'], [2, 'Bo'], [7, 'Di'])))).toBe(
      'Cy left. Di came in.',
    );
    expect(lobbyNews(before, after(lobbyOf(0, []), rosterOf([0, 'Ada', 'away'], [2, 'Bo'], [4, 'Cy'])))).toBe(
      'Ada is away.',
    );
  });

  it('tells a new host, and what the host decided', () => {
    expect(lobbyNews(before, after(lobbyOf(2, [], false)))).toBe('You are the host now. No bots.');
  });
});
