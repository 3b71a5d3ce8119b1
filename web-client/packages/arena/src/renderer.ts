// Draws scenes with PixiJS.
import 'pixi.js/unsafe-eval'; // The content security policy forbids eval, which Pixi otherwise uses for shaders.
import { Application, Container, Graphics } from 'pixi.js';
import type { RosterEntry } from '@tickwire/client';
import { toScreen, type View } from './camera';
import type { Vector } from './controls';
import { Effects } from './effects';
import { SHOT_RADIUS, type GameEvent } from './generated';
import { FighterView } from './fighter-view';
import { GraphicsLoss } from './graphics-loss';
import { KeyedViews } from './keyed-views';
import { KillerMarker } from './killer-marker';
import { isAway } from './hud-model';
import type { ArenaMap } from './map';
import { COLORS, playerColor } from './palette';
import type { Scene, SceneFighter, SceneShot } from './scene';
import { pickupKind, type PickupRow, type ZoneRow } from './tables';

const GRID = 200;

export class Renderer {
  private readonly app: Application;
  private readonly world = new Container();
  /** Replaced when the map is. */
  private readonly floor = new Container();
  private readonly walls = new Container();
  private readonly zone = new Graphics();
  private drawnZone: ZoneRow | null = null;
  private readonly pickupLayer = new Container();
  private readonly shotLayer = new Container();
  private readonly fighterLayer = new Container();
  private readonly effects: Effects;
  private readonly marker = new KillerMarker();
  private readonly loss: GraphicsLoss;
  private readonly fighters: KeyedViews<SceneFighter, FighterView>;
  private readonly shots: KeyedViews<SceneShot, Graphics>;
  private readonly pickups: KeyedViews<PickupRow, Graphics>;
  private scene: Scene = { fighters: [], shots: [], pickups: [], own: null, zone: null };
  /** Where each player's fighter was last drawn: effects of a fallen one need it. */
  private readonly lastPlaces = new Map<number, Vector>();
  private view: View = { x: 0, y: 0, scale: 1 };
  readonly reducedMotion: boolean;

  private constructor(app: Application, stage: HTMLElement, map: ArenaMap, reducedMotion: boolean) {
    this.app = app;
    this.loss = new GraphicsLoss(stage, app.canvas, () => {
      this.effects.clear();
    });
    this.reducedMotion = reducedMotion;
    this.effects = new Effects(reducedMotion);
    this.fighters = new KeyedViews(
      this.fighterLayer,
      () => new FighterView(reducedMotion),
      ({ view }) => view,
    );
    this.shots = new KeyedViews(this.shotLayer, shotView, (view) => view);
    this.pickups = new KeyedViews(this.pickupLayer, pickupView, (view) => view);
    this.world.addChild(
      this.floor,
      this.pickupLayer,
      this.shotLayer,
      this.walls,
      this.zone,
      this.fighterLayer,
      this.marker.ring,
      this.effects.layer,
    );
    this.setMap(map);
    app.stage.addChild(this.world, this.marker.arrow);
  }

  /** Another map from the next frame on. */
  setMap(map: ArenaMap): void {
    for (const layer of [this.floor, this.walls]) {
      for (const old of layer.removeChildren()) old.destroy();
    }
    this.floor.addChild(drawFloor(map));
    this.walls.addChild(drawWalls(map));
    this.lastPlaces.clear();
  }

  /** A canvas that fills `stage` and follows its size. */
  static async create(stage: HTMLElement, map: ArenaMap): Promise<Renderer> {
    const app = new Application();
    await app.init({
      preference: emulatedWebGl() ? 'canvas' : 'webgl',
      background: COLORS.void,
      resizeTo: stage,
      autoDensity: true,
      antialias: true,
      resolution: Math.min(2, window.devicePixelRatio),
      // Frames are driven by the game, which also advances the clock.
      autoStart: false,
      sharedTicker: false,
      eventMode: 'none',
    });
    app.canvas.setAttribute('aria-hidden', 'true');
    stage.append(app.canvas);
    return new Renderer(app, stage, map, window.matchMedia('(prefers-reduced-motion: reduce)').matches);
  }

  get width(): number {
    return this.app.screen.width;
  }

  get height(): number {
    return this.app.screen.height;
  }

  /** Page pixels of a world place in the last drawn frame. */
  screenPlace(place: Vector): Vector {
    return toScreen(this.view, place, this.width, this.height);
  }

  /** Draws a frame. `killer` is who killed the own player, while it is dead. */
  draw(scene: Scene, view: View, roster: ReadonlyMap<number, RosterEntry>, killer: number | null, nowMs: number): void {
    this.scene = scene;
    this.view = view;
    this.world.scale.set(view.scale);
    this.world.position.set(this.width / 2 - view.x * view.scale, this.height / 2 - view.y * view.scale);
    this.drawFighters(scene.fighters, roster, nowMs);
    this.drawShots(scene.shots);
    this.drawPickups(scene.pickups, nowMs);
    this.drawZone(scene.zone);
    this.markKiller(killer, nowMs);
    this.effects.step(nowMs, this.lastPlaces, scene.own?.player ?? null);
    if (!this.loss.lost) this.app.render();
  }

  /** Shows an event where its players were last drawn. */
  event(event: GameEvent, player: number | null, nowMs: number): void {
    if (event.kind === 'hit') {
      const place = this.lastPlaces.get(event.victim);
      const fighter = this.scene.fighters.find((row) => row.player === event.victim);
      if (fighter) this.fighters.get(fighter)?.hit(nowMs);
      if (place) this.effects.hit(place.x, place.y, playerColor(event.victim, event.victim === player), nowMs);
      const isTold = event.by === player || event.victim === player;
      if (isTold) this.effects.hurt(event.victim, event.damage, nowMs);
    } else if (event.kind === 'kill') {
      const place = this.lastPlaces.get(event.victim);
      const color = playerColor(event.victim, event.victim === player);
      if (place) this.effects.kill(event.victim, place.x, place.y, color, nowMs);
    } else {
      const place = this.lastPlaces.get(event.player);
      const color = pickupKind(event.pickup) === 'health' ? COLORS.health : COLORS.overcharge;
      if (place) this.effects.pickup(place.x, place.y, color, nowMs);
    }
  }

  dispose(): void {
    this.loss.dispose();
    this.app.destroy({ removeView: true }, { children: true });
  }

  private drawFighters(
    fighters: readonly SceneFighter[],
    roster: ReadonlyMap<number, RosterEntry>,
    nowMs: number,
  ): void {
    this.fighters.show(fighters, (view, fighter) => {
      const entry = roster.get(fighter.player);
      const played = { name: entry?.name ?? '', bot: entry?.bot ?? false, away: isAway(entry) };
      view.update(fighter, played, nowMs, this.view.scale);
      this.lastPlaces.set(fighter.player, fighter);
    });
  }

  private drawShots(shots: readonly SceneShot[]): void {
    this.shots.show(shots, (view, shot) => {
      view.position.set(shot.x, shot.y);
      view.rotation = Math.atan2(shot.vy, shot.vx);
    });
  }

  private drawPickups(pickups: readonly PickupRow[], nowMs: number): void {
    const scale = this.reducedMotion ? 1 : 1 + 0.06 * Math.sin(nowMs / 300);
    this.pickups.show(pickups, (view, pickup) => {
      view.position.set(pickup.x, pickup.y);
      view.scale.set(scale);
    });
  }

  private markKiller(killer: number | null, nowMs: number): void {
    const fighter = this.scene.fighters.find((row) => row.player === killer);
    if (!fighter) {
      this.marker.hide();
      return;
    }
    const bob = this.reducedMotion ? 0 : Math.sin(nowMs / 160);
    this.marker.show(fighter, this.view, this.width, this.height, bob);
  }

  private drawZone(zone: ZoneRow | null): void {
    // A snapshot's zone is read once: it is the same object until there is another snapshot.
    if (zone === this.drawnZone) return;
    this.drawnZone = zone;
    this.zone.clear();
    if (zone) this.zone.circle(zone.x, zone.y, zone.radius).stroke({ width: 12, color: COLORS.danger, alpha: 0.7 });
  }
}

/** Without a GPU, WebGL is emulated at a dozen frames a second; the 2D canvas is several times faster then. */
function emulatedWebGl(): boolean {
  const gl = document.createElement('canvas').getContext('webgl');
  if (!gl) return true;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return typeof name === 'string' && /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

function shotView({ owner, own }: SceneShot): Graphics {
  const color = playerColor(owner, own);
  return new Graphics()
    .roundRect(-26, -SHOT_RADIUS + 1, 26, 2 * SHOT_RADIUS - 2, 3)
    .fill({ color, alpha: 0.35 })
    .circle(0, 0, SHOT_RADIUS + 2)
    .fill(color)
    .circle(0, 0, SHOT_RADIUS - 1)
    .fill(0xffffff);
}

/** A cross for health, a bolt for overcharge: told apart by shape, not only by colour. */
function pickupView(pickup: PickupRow): Graphics {
  const color = pickup.kind === 'health' ? COLORS.health : COLORS.overcharge;
  const view = new Graphics().circle(0, 0, 24).fill({ color, alpha: 0.14 }).stroke({ width: 2.5, color });
  return pickup.kind === 'health'
    ? view.roundRect(-4, -12, 8, 24, 2).roundRect(-12, -4, 24, 8, 2).fill(color)
    : view.poly([3, -14, -9, 3, -1, 3, -3, 14, 9, -4, 1, -4]).fill(color);
}

function drawFloor(map: ArenaMap): Graphics {
  const floor = new Graphics().rect(0, 0, map.width, map.height).fill(COLORS.floor);
  for (let x = GRID; x < map.width; x += GRID) floor.moveTo(x, 0).lineTo(x, map.height);
  for (let y = GRID; y < map.height; y += GRID) floor.moveTo(0, y).lineTo(map.width, y);
  floor.stroke({ width: 2, color: COLORS.grid });
  return floor.rect(-5, -5, map.width + 10, map.height + 10).stroke({ width: 10, color: COLORS.border });
}

function drawWalls(map: ArenaMap): Graphics {
  const walls = new Graphics();
  // All edges first, so that walls that touch become one.
  for (const [grow, color] of [
    [4, COLORS.wallEdge],
    [0, COLORS.wall],
  ] as const) {
    for (const { x, y, w, h } of map.walls) {
      walls.rect(x - grow, y - grow, w + 2 * grow, h + 2 * grow).fill(color);
    }
  }
  return walls;
}
