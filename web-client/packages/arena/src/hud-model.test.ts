import { describe, expect, it } from 'vitest';
import type { RosterEntry } from '@tickwire/client';
import { buildHud, deathNote, feedLine, killNote, type HudSource } from './hud-model';
import { snapshotOf, ARENA_TABLES } from './testing';
import { ticksLeft } from './tables';

const roster = new Map<number, RosterEntry>([
  [1, { player: 1, name: 'Ada', bot: false, presence: 'here' }],
  [2, { player: 2, name: '<b>Bo</b>', bot: false, presence: 'idle' }],
  [3, { player: 3, name: 'Cy', bot: true, presence: 'here' }],
]);

function source(rows: Parameters<typeof snapshotOf>[1], player: number | null = 1): HudSource {
  return { tables: ARENA_TABLES, snapshot: snapshotOf(1_000, rows), roster, player, tickRate: 30, dashReadyIn: null };
}

const scores = [
  { id: 1, player: 1, score: 20, kills: 0, deaths: 1 },
  { id: 2, player: 2, score: 70, kills: 1, deaths: 0 },
  { id: 3, player: 3, score: 20, kills: 0, deaths: 0 },
];

describe('buildHud', () => {
  it('ranks by score, and equal scores share a rank', () => {
    const { lines, rank, score } = buildHud(source({ match: [{ id: 0, phase: 2 }], score: scores }));
    expect(lines.map((line) => [line.name, line.rank])).toEqual([
      ['<b>Bo</b>', 1],
      ['Cy', 2],
      ['Ada', 2],
    ]);
    expect([rank, score]).toEqual([2, 20]);
  });

  it('lists who has no score yet', () => {
    expect(buildHud(source({ match: [{ id: 0 }] })).lines).toHaveLength(3);
  });

  it('tells bots and those who are away', () => {
    const { lines } = buildHud(source({ match: [{ id: 0, phase: 2 }], score: scores }));
    expect(lines.map((line) => [line.name, line.bot, line.away])).toEqual([
      ['<b>Bo</b>', false, true],
      ['Cy', true, false],
      ['Ada', false, false],
    ]);
  });

  it('counts the live phase down', () => {
    const hud = buildHud(source({ match: [{ id: 0, phase: 2, phase_ends: 1_000 + 30 * 65 }] }));
    expect(hud.timer).toBe('1:05');
    expect(hud.notice).toBe('');
  });

  it('announces the start', () => {
    expect(buildHud(source({ match: [{ id: 0, phase: 1, phase_ends: 1_061 }] })).notice).toBe('Starts in 3');
  });

  it('tells the dead when they are back', () => {
    const dead = { id: 1, player: 1, respawn_at: 1_045 };
    const hud = buildHud(source({ match: [{ id: 0, phase: 2 }], score: [dead] }));
    expect(hud).toMatchObject({ alive: false, notice: 'Back in 1.5 s' });
  });

  it('shows the own health and a half-charged dash', () => {
    const fighter = { id: 9, player: 1, health: 34, dash_ready: 1_038, overcharge_until: 1_010 };
    const hud = buildHud(source({ match: [{ id: 0, phase: 2 }], fighter: [fighter] }));
    expect(hud).toMatchObject({ alive: true, health: 34, overcharged: true });
    expect(hud.dash).toBeCloseTo(0.49, 1);
  });

  it('shows the leaders and oneself where other scores are not known', () => {
    const zone = [{ id: 50, radius: 1_600, alive: 321 }];
    const leader = [
      { id: 61, rank: 1, player: 3, score: 500, kills: 4 },
      { id: 60, rank: 0, player: 2, score: 900, kills: 7 },
    ];
    const rows = { match: [{ id: 0, phase: 2 }], zone, leader, score: [{ id: 1, player: 1, score: 20, deaths: 1 }] };
    const { lines, rank, survivors } = buildHud(source(rows));
    expect(lines.map((line) => [line.name, line.rank, line.own])).toEqual([
      ['<b>Bo</b>', 1, false],
      ['Cy', 2, false],
      ['Ada', 0, true],
    ]);
    expect([rank, survivors]).toEqual([0, 321]);
    expect(buildHud(source(rows)).notice).toBe('You are out');
    const asLeader = buildHud({ ...source({ ...rows, score: [{ id: 2, player: 2, score: 910 }] }), player: 2 });
    expect([asLeader.rank, asLeader.score, asLeader.lines.length]).toEqual([1, 910, 2]);
  });

  it('says that nothing harms the own fighter, as predicted where that is known', () => {
    const fighter = { id: 9, player: 1, health: 100, protected_until: 1_020 };
    const rows = { match: [{ id: 0, phase: 2 }], fighter: [fighter] };
    expect(buildHud(source(rows)).isProtected).toBe(true);
    expect(buildHud({ ...source(rows), protectedFor: 0 }).isProtected).toBe(false);
    expect(buildHud(source({ ...rows, fighter: [{ ...fighter, protected_until: 999 }] })).isProtected).toBe(false);
    expect(buildHud(source({ match: [{ id: 0, phase: 2 }] })).isProtected).toBe(false);
  });

  it('has nothing personal for a spectator', () => {
    const hud = buildHud(source({ match: [{ id: 0, phase: 1, phase_ends: 1_061 }], score: scores }, null));
    expect(hud).toMatchObject({ notice: '', rank: 0, alive: false });
  });
});

describe('feedLine', () => {
  it('names both, also who left', () => {
    expect(feedLine({ kind: 'kill', killer: 1, victim: 9, left: 40 }, roster, 1)).toEqual({
      killer: 'Ada',
      killerBot: false,
      victim: 'Someone',
      victimBot: false,
      ownKill: true,
      ownDeath: false,
    });
    expect(feedLine({ kind: 'kill', killer: 3, victim: 1, left: 5 }, roster, 1)).toMatchObject({
      killer: 'Cy',
      killerBot: true,
    });
    expect(feedLine({ kind: 'kill', killer: 3, victim: 3, left: 0 }, roster, 3)).toMatchObject({
      killer: 'The zone',
      killerBot: false,
      victimBot: true,
      ownKill: false,
      ownDeath: true,
    });
    expect(feedLine({ kind: 'hit', by: 1, victim: 2, damage: 3 }, roster, 1)).toBeNull();
  });
});

describe('deathNote', () => {
  it('says who killed the own player and what health they had left', () => {
    expect(deathNote({ kind: 'kill', killer: 3, victim: 1, left: 34 }, roster, 1)).toEqual({
      killer: { player: 3, name: 'Cy', bot: true },
      left: 34,
    });
    expect(deathNote({ kind: 'kill', killer: 9, victim: 1, left: 0 }, roster, 1)?.killer?.name).toBe(
      'Someone who left',
    );
    expect(deathNote({ kind: 'kill', killer: 1, victim: 1, left: 0 }, roster, 1)).toEqual({ killer: null, left: 0 });
  });

  it('is for the own death only', () => {
    expect(deathNote({ kind: 'kill', killer: 3, victim: 2, left: 34 }, roster, 1)).toBeNull();
    expect(deathNote({ kind: 'kill', killer: 3, victim: 2, left: 34 }, roster, null)).toBeNull();
    expect(deathNote({ kind: 'hit', by: 3, victim: 1, damage: 16 }, roster, 1)).toBeNull();
  });
});

describe('killNote', () => {
  it('says whom the own player killed', () => {
    expect(killNote({ kind: 'kill', killer: 1, victim: 3, left: 34 }, roster, 1)).toEqual({ victim: 'Cy' });
    expect(killNote({ kind: 'kill', killer: 2, victim: 3, left: 34 }, roster, 1)).toBeNull();
    expect(killNote({ kind: 'kill', killer: 1, victim: 1, left: 0 }, roster, 1)).toBeNull();
  });
});

describe('ticksLeft', () => {
  it('takes a moment that is too far ahead, or zero, for past', () => {
    expect(ticksLeft(1_010, 1_000, 75)).toBe(10);
    expect(ticksLeft(990, 1_000, 75)).toBe(0);
    expect(ticksLeft(0, 0xffff_fff0, 75)).toBe(0);
    expect(ticksLeft(5_000, 1_000, 75)).toBe(0);
    // Across the wrap of the 31 bits.
    expect(ticksLeft(3, 0x7fff_fffe, 75)).toBe(5);
  });
});
