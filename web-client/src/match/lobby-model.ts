// What the lobby says, worked out from the server's records. No page here.
import type { Lobby, RosterEntry } from '@tickwire/client';

export interface LobbyPerson {
  readonly player: number;
  readonly name: string;
  readonly own: boolean;
  readonly host: boolean;
  readonly ready: boolean;
  /** The connection is lost, the seat is kept: nobody waits for them. */
  readonly away: boolean;
}

export interface LobbyModel {
  /** Everyone who has a seat, in the order of seats. */
  readonly people: readonly LobbyPerson[];
  /** The viewer may start the match and choose about bots. */
  readonly isHost: boolean;
  readonly isReady: boolean;
  readonly bots: boolean;
  /** Nobody else is connected. */
  readonly alone: boolean;
  /** What is waited for, in a sentence or two. */
  readonly note: string;
  /** Whose choice bots are; empty if nobody's. */
  readonly hostName: string;
}

export function buildLobby(lobby: Lobby, roster: ReadonlyMap<number, RosterEntry>, player: number | null): LobbyModel {
  const ready = new Set(lobby.ready);
  const people = [...roster.values()]
    .filter((entry) => !entry.bot)
    .sort((a, b) => a.player - b.player)
    .map((entry) => ({
      player: entry.player,
      name: entry.name,
      own: entry.player === player,
      host: entry.player === lobby.host,
      ready: ready.has(entry.player),
      away: entry.presence === 'away',
    }));
  const own = people.find((person) => person.own);
  const facts = {
    people,
    isHost: own?.host ?? false,
    isReady: own?.ready ?? false,
    bots: lobby.bots,
    alone: !people.some((person) => !person.own && !person.away),
    hostName: people.find((person) => person.host)?.name ?? '',
  };
  return { ...facts, note: note(facts) };
}

type Facts = Omit<LobbyModel, 'note'>;

function note(facts: Facts): string {
  const { people, isHost, isReady, bots, alone, hostName } = facts;
  if (alone && isHost) {
    return bots
      ? 'Nobody else is here yet. Send the link, or start now: bots fill the free seats.'
      : 'Nobody else is here yet. Send the link: without bots you would be alone.';
  }
  const present = people.filter((person) => !person.away);
  const waiting = present.filter((person) => !person.ready && !person.own);
  if (isReady && waiting.length > 0) return `You are ready. Waiting for ${listed(waiting)}.`;
  const count = `${present.length - present.filter((person) => !person.ready).length} of ${present.length} ready.`;
  if (isHost) return `${count} The match starts when everyone is, or when you start it.`;
  const host = hostName === '' ? '' : `, or when ${hostName} starts it`;
  return `${count} The match starts when everyone is${host}.`;
}

/** Two by name, more by number. */
function listed(people: readonly LobbyPerson[]): string {
  const [first, second] = people;
  if (!first || people.length > 2) return `${people.length} others`;
  return second ? `${first.name} and ${second.name}` : first.name;
}

/** What changed, for those who do not see it; empty for nothing worth telling. */
export function lobbyNews(before: LobbyModel | null, after: LobbyModel): string {
  if (!before) return '';
  const known = new Map(before.people.map((person) => [person.player, person]));
  const here = new Set(after.people.map((person) => person.player));
  const news = [
    ...before.people.filter((person) => !here.has(person.player)).map((person) => `${person.name} left.`),
    ...after.people.flatMap((person) => {
      const old = known.get(person.player);
      if (person.own) return person.host && !before.isHost ? ['You are the host now.'] : [];
      if (!old) return [`${person.name} came in.`];
      if (person.away !== old.away) return [person.away ? `${person.name} is away.` : `${person.name} is back.`];
      if (person.ready !== old.ready)
        return [person.ready ? `${person.name} is ready.` : `${person.name} is not ready.`];
      return [];
    }),
    ...(before.bots === after.bots ? [] : [after.bots ? 'Bots fill the free seats.' : 'No bots.']),
  ];
  return news.join(' ');
}
