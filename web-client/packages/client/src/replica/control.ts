// The records that are not snapshots, as the browser module hands them over: one JSON object per line.

/** One seated player. */
export interface RosterEntry {
  readonly player: number;
  readonly name: string;
  readonly bot: boolean;
  /** Whether the person who holds the seat plays it; bots are always `here`. */
  readonly presence: 'here' | 'idle' | 'away';
}

/** A match that waits for its players to start it. */
export interface Lobby {
  readonly type: 'lobby';
  readonly host: number | null;
  /** Whether bots will fill the free seats. */
  readonly bots: boolean;
  readonly ready: readonly number[];
}

export interface Welcome {
  readonly type: 'welcome';
  readonly matchId: string;
  /** Null for a spectator. */
  readonly player: number | null;
  readonly mode: number;
  readonly tickRate: number;
  readonly tick: number;
  /** Returns to this seat; every Welcome brings a new one. */
  readonly resume: string;
  readonly roster: readonly RosterEntry[];
}

export interface Pong {
  readonly type: 'pong';
  readonly clientTimeMs: number;
  readonly tick: number;
  /** How much of the interval after `tick` had passed when the ping came, in 1/256. */
  readonly phase: number;
  /** How long the answer then waited for the next frame, in 1/256 tick. */
  readonly held: number;
  /** The least earliness of the inputs since the last pong, in 1/256 tick; null if none came. */
  readonly margin: number | null;
  readonly lastInputSeq: number;
}

export interface Results {
  readonly type: 'results';
  readonly ranking: readonly { readonly player: number; readonly score: number }[];
  readonly rematchBy: number;
}

export type ControlRecord =
  | Welcome
  | ({ readonly type: 'joined' } & RosterEntry)
  | ({ readonly type: 'updated' } & RosterEntry)
  | { readonly type: 'left'; readonly player: number }
  | Lobby
  /** The server is about to restart: the match ends at tick `until` at the latest. */
  | { readonly type: 'draining'; readonly until: number }
  | Results
  | Pong
  /** The match goes on there: `closing` with `moved` follows. */
  | { readonly type: 'migrate'; readonly url: string }
  | { readonly type: 'closing'; readonly reason: string }
  /** The server's check found this page's copy of the snapshot wrong. */
  | { readonly type: 'desync'; readonly tick: number | null; readonly table: string }
  | { readonly type: 'game'; readonly event: unknown };

/** Parses the module's JSON lines. The module validated the bytes they came from, so their shape is taken as it is. */
export function parseControls(lines: string): ControlRecord[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ControlRecord);
}
