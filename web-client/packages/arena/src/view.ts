// The drawn match: runs the frame loop, builds the scene from a session, moves the camera and plays effects on time.
// The player's page and the admin page both use it.
import type { Replica } from '@tickwire/client';
import { followView, wholeMapView, type View } from './camera';
import type { Vector } from './controls';
import { EventQueue } from './events';
import type { GameEvent } from './generated';
import { readMap, type ArenaMap } from './map';
import { Renderer } from './renderer';
import { buildScene, type Scene } from './scene';
import type { ArenaSession } from './session';
import { StandInBlend } from './stand-in';
import { ArenaTables } from './tables';
import { FiredShots } from './fired-shots';

export interface Frame {
  readonly scene: Scene;
  readonly view: View;
  readonly nowMs: number;
}

/** When its target jumps (respawn, another fighter), the camera follows: half of the way is gone after this long. */
const CAMERA_HALF_LIFE_MS = 70;
/** Further than this, it does not follow but is there at once. */
const CAMERA_SNAP_UNITS = 1200;
/** The dead look at where they fell for so long, and then at who killed them. */
const FALLEN_MS = 700;
/** The same for the way there. */
const GLIDE_HALF_LIFE_MS = 160;

export class ArenaView {
  readonly stage: HTMLElement;
  readonly tables: ArenaTables;
  map: ArenaMap;
  /** Whom a viewer without a seat follows; null: nobody, the whole map is shown. */
  followed: number | null = null;
  onFrame: ((frame: Frame) => void) | null = null;
  /** The match is on another map than the one before. */
  onMap: ((map: ArenaMap) => void) | null = null;
  /** Every event when it is shown. */
  onEvent: ((event: GameEvent) => void) | null = null;
  private readonly replica: Replica;
  private readonly renderer: Renderer;
  private readonly events = new EventQueue();
  private readonly fired: FiredShots;
  private session: ArenaSession | null = null;
  private scene: Scene | null = null;
  private target: Vector | null = null;
  /** Who killed the own fighter, and since when it is dead. */
  private killer: { readonly player: number; readonly sinceMs: number } | null = null;
  private readonly standIn = new StandInBlend();
  private lastMs = 0;
  private frameRequest = 0;

  private constructor(stage: HTMLElement, replica: Replica, map: ArenaMap, renderer: Renderer) {
    this.stage = stage;
    this.replica = replica;
    this.tables = new ArenaTables(replica.tables);
    this.fired = new FiredShots(this.tables, replica);
    this.map = map;
    this.renderer = renderer;
    const loop = (): void => {
      this.frameRequest = requestAnimationFrame(loop);
      this.frame(performance.now());
    };
    this.frameRequest = requestAnimationFrame(loop);
  }

  static async create(stage: HTMLElement, replica: Replica): Promise<ArenaView> {
    const map = readMap(replica);
    const renderer = await Renderer.create(stage, map);
    return new ArenaView(stage, replica, map, renderer);
  }

  /** Shows another session, or none. */
  show(session: ArenaSession | null): void {
    this.session = session;
    this.scene = null;
    this.target = null;
    this.killer = null;
    this.events.clear();
    this.fired.clear();
  }

  /** The session has a seat: its mode may be on another map. */
  welcomed(): void {
    const map = readMap(this.replica);
    if (map.width === this.map.width && map.walls.length === this.map.walls.length) return;
    this.map = map;
    this.target = null;
    this.renderer.setMap(map);
    this.onMap?.(map);
  }

  /** The session predicted the own fighter one tick further. */
  stepped(tick: number, row: Int32Array | null): void {
    // What a stand-in fires is not fired by the own inputs.
    if (this.session?.standIn === true) this.fired.clear();
    else this.fired.stepped(tick, row);
  }

  /**
   * An event from the session; it is shown when the drawn tick gets there, or at once if it
   * happened to the own fighter, which is drawn as of the newest tick.
   */
  queueEvent(event: GameEvent, tick: number): void {
    const player = this.session?.player ?? null;
    const isOwn = event.kind !== 'pickup' && event.victim === player;
    this.events.push(event, isOwn ? -Infinity : tick);
  }

  get lastScene(): Scene | null {
    return this.scene;
  }

  /** Page pixels, relative to the window, of the own fighter in the last frame. */
  ownPlace(): Vector {
    const box = this.stage.getBoundingClientRect();
    const own = this.scene?.own;
    const place = own ? this.renderer.screenPlace(own) : { x: box.width / 2, y: box.height / 2 };
    return { x: box.left + place.x, y: box.top + place.y };
  }

  dispose(): void {
    cancelAnimationFrame(this.frameRequest);
    this.renderer.dispose();
  }

  private frame(nowMs: number): void {
    const { session } = this;
    if (!session) return;
    session.frame(nowMs);
    const sample = session.sample(nowMs);
    const { latest } = session;
    if (!sample || !latest) return;
    const predictedTick = session.predictedTick(nowMs);
    const scene = buildScene({
      tables: this.tables,
      map: this.map,
      sample,
      latest,
      player: session.player,
      predicted: session.predicted(nowMs),
      predictedTick,
      firedShots: session.player === null ? [] : this.fired.shots(latest.tick, predictedTick, session.player),
      standIn: this.standIn.share(session.standIn, nowMs),
    });
    this.scene = scene;
    if (scene.own) this.killer = null;
    const view = this.viewOf(scene, nowMs);
    this.renderer.draw(scene, view, session.roster, this.killer?.player ?? null, nowMs);
    for (const event of this.events.take(sample.tick)) this.showEvent(event, session.player, nowMs);
    this.onFrame?.({ scene, view, nowMs });
  }

  private showEvent(event: GameEvent, player: number | null, nowMs: number): void {
    this.renderer.event(event, player, nowMs);
    if (event.kind === 'kill' && event.victim === player && event.killer !== player) {
      this.killer = { player: event.killer, sinceMs: nowMs };
    }
    this.onEvent?.(event);
  }

  private viewOf(scene: Scene, nowMs: number): View {
    const { width, height } = this.renderer;
    const watches = this.session?.player === null;
    if (watches && this.followed === null) return wholeMapView(this.map, width, height);
    const elapsedMs = Math.max(0, nowMs - this.lastMs);
    this.lastMs = nowMs;
    const wanted = scene.own ?? (watches ? this.watched(scene) : null);
    const killer = wanted ? null : this.killerSeen(scene, nowMs);
    if (wanted) this.target = this.approach(wanted, scene.own !== null, elapsedMs);
    else if (killer) this.target = glide(this.target ?? killer, killer, elapsedMs, GLIDE_HALF_LIFE_MS);
    return followView(this.target ?? { x: this.map.width / 2, y: this.map.height / 2 }, this.map, width, height);
  }

  /** Whom a viewer without a seat sees: anyone while the followed one is not there. */
  private watched({ fighters }: Scene): Vector | null {
    return fighters.find((fighter) => fighter.player === this.followed) ?? fighters[0] ?? null;
  }

  /**
   * Who killed the own fighter, once its fall has been seen. With reduced motion the camera stays,
   * and an arrow points there.
   */
  private killerSeen(scene: Scene, nowMs: number): Vector | null {
    const { killer, renderer } = this;
    if (!killer || renderer.reducedMotion || nowMs - killer.sinceMs < FALLEN_MS) return null;
    return scene.fighters.find((fighter) => fighter.player === killer.player) ?? null;
  }

  /** The own fighter is always dead centre unless it jumped: lag of the camera would feel like lag of the input. */
  private approach(wanted: Vector, own: boolean, elapsedMs: number): Vector {
    const { target } = this;
    if (!target) return { x: wanted.x, y: wanted.y };
    const distance = Math.hypot(wanted.x - target.x, wanted.y - target.y);
    if (distance > CAMERA_SNAP_UNITS || (own && distance < 60)) return { x: wanted.x, y: wanted.y };
    return glide(target, wanted, elapsedMs, CAMERA_HALF_LIFE_MS);
  }
}

/** On the way from one place to another, of which half is gone every `halfLifeMs`. */
function glide(from: Vector, to: Vector, elapsedMs: number, halfLifeMs: number): Vector {
  const rest = 0.5 ** (elapsedMs / halfLifeMs);
  return { x: to.x + (from.x - to.x) * rest, y: to.y + (from.y - to.y) * rest };
}
