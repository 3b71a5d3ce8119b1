// The whole arena in a corner: walls once, fighters a few times a second.
import { el } from '@tickwire/ui';
import { ARENA_SIDE } from './generated';
import type { ArenaMap } from './map';
import { COLORS, cssColor, playerColor } from './palette';
import type { Scene } from './scene';
import type { ZoneRow } from './tables';

const SIDE_PX = 168;
const INTERVAL_MS = 100;
const WALL_PX_MIN = 1.5;
/** Radii of dots: on a large map many fighters are near each other, and smaller dots tell them apart. */
const SMALL_MAP_DOTS = { own: 5, other: 3.5 };
const LARGE_MAP_DOTS = { own: 4, other: 1.75 };
const OUTSIDE_ALPHA = 0.22;

export class Minimap {
  readonly element: HTMLCanvasElement;
  private readonly walls: HTMLCanvasElement;
  private scale = 1;
  private dots = SMALL_MAP_DOTS;
  private drawnMs = -Infinity;

  constructor(map: ArenaMap) {
    this.element = el('canvas', { class: 'minimap', 'aria-hidden': 'true', 'data-testid': 'minimap' });
    this.walls = el('canvas');
    for (const canvas of [this.element, this.walls]) {
      canvas.width = SIDE_PX;
      canvas.height = SIDE_PX;
    }
    this.show(map);
  }

  /** Another match may be on another map. */
  show(map: ArenaMap): void {
    this.scale = SIDE_PX / Math.max(map.width, map.height);
    this.dots = map.width > ARENA_SIDE ? LARGE_MAP_DOTS : SMALL_MAP_DOTS;
    const context = this.walls.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, SIDE_PX, SIDE_PX);
    context.fillStyle = cssColor(COLORS.wallEdge);
    // On a large map walls are thinner than a dot.
    const least = Math.min(WALL_PX_MIN, (WALL_PX_MIN * ARENA_SIDE) / map.width);
    for (const { x, y, w, h } of map.walls) {
      context.fillRect(
        x * this.scale,
        y * this.scale,
        Math.max(least, w * this.scale),
        Math.max(least, h * this.scale),
      );
    }
  }

  draw(scene: Scene, nowMs: number): void {
    if (nowMs - this.drawnMs < INTERVAL_MS) return;
    this.drawnMs = nowMs;
    const context = this.element.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, SIDE_PX, SIDE_PX);
    context.drawImage(this.walls, 0, 0);
    for (const pickup of scene.pickups) {
      context.fillStyle = cssColor(pickup.kind === 'health' ? COLORS.health : COLORS.overcharge);
      context.fillRect(pickup.x * this.scale - 1.5, pickup.y * this.scale - 1.5, 3, 3);
    }
    if (scene.zone) this.drawZone(context, scene.zone);
    for (const fighter of scene.fighters) {
      context.fillStyle = cssColor(playerColor(fighter.player, fighter.own));
      context.beginPath();
      context.arc(
        fighter.x * this.scale,
        fighter.y * this.scale,
        fighter.own ? this.dots.own : this.dots.other,
        0,
        2 * Math.PI,
      );
      context.fill();
    }
  }

  /** Its edge, and what is outside of it shaded. */
  private drawZone(context: CanvasRenderingContext2D, zone: ZoneRow): void {
    context.beginPath();
    context.arc(zone.x * this.scale, zone.y * this.scale, zone.radius * this.scale, 0, 2 * Math.PI);
    context.strokeStyle = cssColor(COLORS.danger);
    context.lineWidth = 1.5;
    context.stroke();
    context.rect(0, 0, SIDE_PX, SIDE_PX);
    context.globalAlpha = OUTSIDE_ALPHA;
    context.fillStyle = cssColor(COLORS.danger);
    context.fill('evenodd');
    context.globalAlpha = 1;
  }
}
