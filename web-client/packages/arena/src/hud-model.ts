// What the HUD says, worked out from a snapshot. No page here.
import type { Phase, RosterEntry, Snapshot } from '@tickwire/client';
import { formatClock } from '@tickwire/ui';
import { DASH_COOLDOWN_TICKS, type GameEvent } from './generated';
import type { ArenaTables } from './tables';

export interface ScoreLine {
  readonly player: number;
  readonly name: string;
  readonly bot: boolean;
  readonly own: boolean;
  /** A person whose seat is kept while they are not there. */
  readonly away: boolean;
  readonly score: number;
  readonly kills: number;
  /** null where it is not known. */
  readonly deaths: number | null;
  /** 1 for the best; equal scores share it. */
  readonly rank: number;
}

export interface HudModel {
  readonly phase: Phase;
  /** What the timer shows; empty when nothing counts down. */
  readonly timer: string;
  /** One sentence in the middle of the screen, or empty. */
  readonly notice: string;
  readonly health: number;
  readonly alive: boolean;
  /** 0 just used, 1 ready. */
  readonly dash: number;
  readonly overcharged: boolean;
  /** Nothing harms it for now. */
  readonly isProtected: boolean;
  readonly score: number;
  readonly rank: number;
  /** Everyone, or where that is not known the best and oneself. */
  readonly lines: readonly ScoreLine[];
  /** How many live, in modes in which that matters. */
  readonly survivors: number | null;
}

export interface HudSource {
  readonly tables: ArenaTables;
  readonly snapshot: Snapshot;
  readonly roster: ReadonlyMap<number, RosterEntry>;
  readonly player: number | null;
  readonly tickRate: number;
  /** The predicted value, which is ahead of the snapshot's; null while not alive. */
  readonly dashReadyIn: number | null;
  /** Likewise. */
  readonly protectedFor?: number | null;
}

export function buildHud(source: HudSource): HudModel {
  const { tables, snapshot, player, tickRate } = source;
  const { phase, endsIn } = tables.match(snapshot);
  const lines = scoreLines(source);
  const ownLine = lines.find((line) => line.own);
  const fighter = tables.fighters(snapshot).find((row) => row.player === player);
  const score = tables.scores(snapshot).find((row) => row.player === player);
  const secondsLeft = endsIn / tickRate;
  const respawnS = score && score.respawnIn > 0 ? score.respawnIn / tickRate : null;
  // In royale the dead stay dead when the zone is small.
  const isOut = tables.zone(snapshot) !== null && score?.respawnIn === 0 && fighter === undefined;
  return {
    phase,
    timer: phase === 'waiting' ? '' : formatClock(secondsLeft),
    notice: player === null ? '' : notice(phase, secondsLeft, respawnS, isOut),
    health: fighter?.health ?? 0,
    alive: fighter !== undefined,
    dash: dashCharge(source.dashReadyIn ?? fighter?.dashReadyIn ?? 0),
    overcharged: (fighter?.overcharge ?? 0) > 0,
    isProtected: fighter !== undefined && (source.protectedFor ?? fighter.protectedFor) > 0,
    score: ownLine?.score ?? 0,
    rank: ownLine?.rank ?? 0,
    lines,
    survivors: tables.zone(snapshot)?.alive ?? null,
  };
}

function notice(phase: Phase, secondsLeft: number, respawnS: number | null, isOut: boolean): string {
  if (phase === 'waiting') return 'Waiting for players…';
  if (phase === 'countdown') return `Starts in ${Math.ceil(secondsLeft)}`;
  if (phase === 'live' && isOut) return 'You are out';
  if (phase === 'live' && respawnS !== null) return `Back in ${respawnS.toFixed(1)} s`;
  return '';
}

function dashCharge(readyIn: number): number {
  return Math.min(1, Math.max(0, 1 - readyIn / DASH_COOLDOWN_TICKS));
}

/** Everyone seated, best first; who has no score row yet has none. In royale the leaders, and oneself. */
function scoreLines(source: HudSource): ScoreLine[] {
  const { tables, snapshot, roster, player } = source;
  if (tables.zone(snapshot)) return leaderLines(source);
  const scores = new Map(tables.scores(snapshot).map((row) => [row.player, row]));
  const unranked = [...roster.values()].map((entry) => ({
    player: entry.player,
    name: entry.name,
    bot: entry.bot,
    own: entry.player === player,
    away: isAway(entry),
    score: scores.get(entry.player)?.score ?? 0,
    kills: scores.get(entry.player)?.kills ?? 0,
    deaths: scores.get(entry.player)?.deaths ?? 0,
  }));
  unranked.sort((a, b) => b.score - a.score || a.deaths - b.deaths || a.player - b.player);
  return unranked.map((line) => ({ ...line, rank: 1 + unranked.filter((other) => other.score > line.score).length }));
}

/** Idle or gone: for the others it is the same. */
export function isAway(entry: RosterEntry | undefined): boolean {
  return entry !== undefined && entry.presence !== 'here';
}

/** A rank of 0: somewhere below those who are shown. */
function leaderLines({ tables, snapshot, roster, player }: HudSource): ScoreLine[] {
  const own = tables.scores(snapshot).find((row) => row.player === player);
  const lines = tables.leaders(snapshot).map((leader, index) => ({
    player: leader.player,
    name: roster.get(leader.player)?.name ?? 'Someone',
    bot: roster.get(leader.player)?.bot ?? false,
    own: leader.player === player,
    away: isAway(roster.get(leader.player)),
    score: leader.score,
    kills: leader.kills,
    deaths: null,
    rank: index + 1,
  }));
  if (!own) return lines;
  const listed = lines.find((line) => line.own);
  const name = roster.get(own.player)?.name ?? '';
  const ownLine = { ...own, name, bot: false, own: true, away: false, rank: listed?.rank ?? 0 };
  return listed ? lines.map((line) => (line.own ? ownLine : line)) : [...lines, ownLine];
}

export interface FeedLine {
  readonly killer: string;
  readonly killerBot: boolean;
  readonly victim: string;
  readonly victimBot: boolean;
  readonly ownKill: boolean;
  readonly ownDeath: boolean;
}

/** The kill feed's line for an event; null for one that is not told there. */
export function feedLine(
  event: GameEvent,
  roster: ReadonlyMap<number, RosterEntry>,
  player: number | null,
): FeedLine | null {
  if (event.kind !== 'kill') return null;
  const nameOf = (id: number): string => roster.get(id)?.name ?? 'Someone';
  const isBot = (id: number): boolean => roster.get(id)?.bot ?? false;
  const zone = event.killer === event.victim;
  return {
    killer: zone ? 'The zone' : nameOf(event.killer),
    killerBot: !zone && isBot(event.killer),
    victim: nameOf(event.victim),
    victimBot: isBot(event.victim),
    ownKill: event.killer === player && event.victim !== player,
    ownDeath: event.victim === player,
  };
}

/** Who killed the own player. */
export interface DeathNote {
  /** Null for the zone. */
  readonly killer: { readonly player: number; readonly name: string; readonly bot: boolean } | null;
  /** Health the killer had left. */
  readonly left: number;
}

/** Null for an event that is not the own player's death. */
export function deathNote(
  event: GameEvent,
  roster: ReadonlyMap<number, RosterEntry>,
  player: number | null,
): DeathNote | null {
  if (event.kind !== 'kill' || event.victim !== player) return null;
  if (event.killer === player) return { killer: null, left: 0 };
  const entry = roster.get(event.killer);
  const killer = { player: event.killer, name: entry?.name ?? 'Someone who left', bot: entry?.bot ?? false };
  return { killer, left: event.left };
}

/** Whom the own player killed. */
export interface KillNote {
  readonly victim: string;
}

/** Null for an event that is not the own player's kill. */
export function killNote(
  event: GameEvent,
  roster: ReadonlyMap<number, RosterEntry>,
  player: number | null,
): KillNote | null {
  if (event.kind !== 'kill' || event.killer !== player || event.victim === player) return null;
  return { victim: roster.get(event.victim)?.name ?? 'Someone' };
}
