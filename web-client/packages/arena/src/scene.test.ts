import { describe, expect, it } from 'vitest';
import type { Sample, Snapshot } from '@tickwire/client';
import { followView, wholeMapView } from './camera';
import { EventQueue } from './events';
import { FiredShots } from './fired-shots';
import { blocked, readMap } from './map';
import { buildScene, mixAngle, type SceneSource } from './scene';
import { StandInBlend } from './stand-in';
import { snapshotOf, SCHEMA, ARENA_TABLES } from './testing';
import { FakeReplica } from '@tickwire/client/testing';

const MAP = readMap({ ask: () => Int32Array.of(64_000, 64_000, 16_000, 0, 1_600, 16_000) });

function between(from: Snapshot, to: Snapshot, alpha: number): Sample {
  return { from, to, alpha, tick: from.tick + alpha * (to.tick - from.tick) };
}

function source(parts: Partial<SceneSource> & Pick<SceneSource, 'sample' | 'latest'>): SceneSource {
  return {
    tables: ARENA_TABLES,
    map: MAP,
    player: null,
    predicted: null,
    predictedTick: 0,
    firedShots: [],
    standIn: 0,
    ...parts,
  };
}

describe('buildScene', () => {
  it('moves others between two snapshots, the short way round', () => {
    const from = snapshotOf(10, { fighter: [{ id: 5, player: 2, x: 1_600, y: 0, aim: 1_000 }] });
    const to = snapshotOf(11, { fighter: [{ id: 5, player: 2, x: 1_760, y: 16, aim: 24 }] });
    const [fighter] = buildScene(source({ sample: between(from, to, 0.5), latest: to })).fighters;
    expect(fighter).toMatchObject({ x: 105, y: 0.5 });
    expect(fighter?.aim).toBeCloseTo(2 * Math.PI);
  });

  it('shows the zone where there is one', () => {
    const without = snapshotOf(10, {});
    expect(buildScene(source({ sample: between(without, without, 0), latest: without })).zone).toBeNull();
    const latest = snapshotOf(11, { zone: [{ id: 9, x: 160_000, y: 1_600, radius: 32_000, alive: 7 }] });
    const { zone } = buildScene(source({ sample: between(latest, latest, 0), latest }));
    expect(zone).toEqual({ x: 10_000, y: 100, radius: 2_000, alive: 7 });
  });

  it('does not drag a fighter across the map', () => {
    const from = snapshotOf(10, { fighter: [{ id: 5, player: 2, x: 0, y: 0 }] });
    const to = snapshotOf(11, { fighter: [{ id: 5, player: 2, x: 60_000, y: 0 }] });
    expect(buildScene(source({ sample: between(from, to, 0.5), latest: to })).fighters[0]?.x).toBe(0);
  });

  it('draws the own fighter where it is predicted, with the health the server says', () => {
    const latest = snapshotOf(11, { fighter: [{ id: 5, player: 2, x: 1_600, y: 0, health: 40 }] });
    const row = Int32Array.from([2, 0, 0, 3_200, 0, 256, 99, 0, 0, 0]);
    const scene = buildScene(
      source({
        sample: between(latest, latest, 0),
        latest,
        player: 2,
        predicted: { row, place: [3_200, 160] },
        predictedTick: 14.2,
      }),
    );
    expect(scene.own).toMatchObject({ x: 200, y: 10, health: 40, own: true });
    expect(scene.fighters).toHaveLength(1);
  });

  it('draws what a stand-in plays as it draws others, and goes over to that smoothly', () => {
    const from = snapshotOf(10, {
      fighter: [{ id: 5, player: 2, x: 1_600, health: 40 }],
      shot: [{ id: 7, owner: 2, x: 1_600, vx: 480 }],
    });
    const latest = snapshotOf(11, { fighter: [{ id: 5, player: 2, x: 1_760, health: 40 }] });
    const row = Int32Array.from([2, 0, 0, 3_200, 0, 0, 99, 0, 0, 0, 0]);
    const place = (standIn: number): ReturnType<typeof buildScene> =>
      buildScene(
        source({
          sample: between(from, latest, 0.5),
          latest,
          player: 2,
          predicted: { row, place: [3_200, 0] },
          predictedTick: 14,
          standIn,
        }),
      );
    expect([0, 0.5, 1].map((standIn) => place(standIn).own?.x)).toEqual([200, 152.5, 105]);
    expect(place(1).own).toMatchObject({ own: true, health: 40 });
    expect(place(1).shots).toMatchObject([{ own: true, x: 115 }]);
  });

  it('counts down the protection of a fighter', () => {
    const latest = snapshotOf(11, { fighter: [{ id: 5, player: 2, protected_until: 31 }] });
    const [fighter] = buildScene(source({ sample: between(latest, latest, 0), latest })).fighters;
    expect(fighter?.protectedFor).toBe(20);
  });

  it('moves own shots on to the predicted tick, but not through walls', () => {
    const shot = { owner: 2, vx: 480, vy: 0, born: 9 };
    const latest = snapshotOf(11, {
      fighter: [{ id: 5, player: 2 }],
      shot: [
        { id: 7, ...shot, x: 1_600, y: 16_160 },
        { id: 8, ...shot, x: 15_800, y: 1_600 },
        { id: 9, ...shot, owner: 3, x: 0, y: 0 },
      ],
    });
    const { shots } = buildScene(
      source({
        sample: between(latest, latest, 0),
        latest,
        player: 2,
        predicted: { row: new Int32Array(SCHEMA[1]?.fields.length ?? 0), place: [0, 0] },
        predictedTick: 13,
      }),
    );
    expect(shots.map((row) => [row.own, row.x])).toEqual([
      [false, 0],
      [true, 160],
    ]);
  });
});

describe('FiredShots', () => {
  const row = (fireReady: number): Int32Array => Int32Array.from([2, 0, 0, 1_600, 3_200, 0, 100, 0, fireReady, 0]);

  it('flies a shot from the tick its cooldown began until a snapshot has that tick', () => {
    const replica = new FakeReplica();
    replica.ask = (_question, _x, _y, _aim, age = 0) => Int32Array.of(1_600 + 480 * (age + 1), 3_200, 1);
    const fired = new FiredShots(ARENA_TABLES, replica);
    fired.stepped(20, row(0));
    fired.stepped(21, row(26));
    fired.stepped(22, row(26));
    expect(fired.shots(18, 20.5, 2).map((shot) => shot.x)).toEqual([115]);
    expect(fired.shots(18, 22, 2).map((shot) => shot.x)).toEqual([160]);
    expect(fired.shots(21, 22, 2)).toEqual([]);
  });

  it('forgets them with the life that fired', () => {
    const fired = new FiredShots(ARENA_TABLES, new FakeReplica());
    fired.stepped(20, row(0));
    fired.stepped(21, row(26));
    fired.stepped(22, null);
    expect(fired.shots(18, 22, 2)).toEqual([]);
  });
});

describe('StandInBlend', () => {
  it('goes over in a moment, back as well, and at once where nothing was drawn before', () => {
    const blend = new StandInBlend();
    expect(blend.share(false, 1_000)).toBe(0);
    expect(blend.share(true, 1_150)).toBe(0.5);
    expect(blend.share(true, 1_400)).toBe(1);
    expect(blend.share(false, 1_550)).toBe(0.5);
    expect(blend.share(false, 1_800)).toBe(0);
    expect(new StandInBlend().share(true, 1_000)).toBe(1);
  });
});

describe('mixAngle', () => {
  it('crosses zero', () => {
    expect(mixAngle(0.1, 2 * Math.PI - 0.1, 0.5)).toBeCloseTo(0);
    expect(mixAngle(1, 2, 0.5)).toBeCloseTo(1.5);
  });
});

describe('blocked', () => {
  it('sees walls and borders between two places', () => {
    expect(blocked(MAP, 900, 500, 1_200, 500)).toBe(true);
    expect(blocked(MAP, 900, 1_500, 1_200, 1_500)).toBe(false);
    expect(blocked(MAP, 10, 1_500, -10, 1_500)).toBe(true);
    expect(blocked(MAP, 1_050, 10, 1_050, 20)).toBe(true);
  });
});

describe('camera', () => {
  it('stops at the border and sees a similar area on every screen', () => {
    const corner = followView({ x: 0, y: 0 }, MAP, 1280, 800);
    expect(corner.x).toBeGreaterThan(300);
    const phone = followView({ x: 2_000, y: 2_000 }, MAP, 390, 844);
    const desk = followView({ x: 2_000, y: 2_000 }, MAP, 1920, 1080);
    const area = (width: number, height: number, scale: number): number => (width * height) / scale ** 2;
    expect(area(390, 844, phone.scale) / area(1920, 1080, desk.scale)).toBeCloseTo(1, 0);
    expect(wholeMapView(MAP, 800, 800)).toMatchObject({ x: 2_000, y: 2_000 });
  });
});

describe('events', () => {
  it('wait for the drawn tick, in order', () => {
    const queue = new EventQueue();
    queue.push({ kind: 'kill', killer: 1, victim: 2, left: 9 }, 12);
    queue.push({ kind: 'pickup', player: 1, pickup: 0 }, 11);
    expect(queue.take(10.9)).toEqual([]);
    expect(queue.take(11.5).map((event) => event.kind)).toEqual(['pickup']);
    expect(queue.take(12).map((event) => event.kind)).toEqual(['kill']);
  });
});
