// The whole arena in a corner: walls once, fighters a few times a second.
import { el } from '../ui/dom';
import type { ArenaMap } from './map';
import { COLORS, cssColor, playerColor } from './palette';
import type { Scene } from './scene';

const SIDE_PX = 168;
const INTERVAL_MS = 100;
const WALL_PX_MIN = 1.5;
const SMALL_MAP_UNITS = 4000;

export class Minimap {
  readonly element: HTMLCanvasElement;
  private readonly walls: HTMLCanvasElement;
  private scale = 1;
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
    const context = this.walls.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, SIDE_PX, SIDE_PX);
    context.fillStyle = cssColor(COLORS.wallEdge);
    // On a large map walls are thinner than a dot.
    const least = Math.min(WALL_PX_MIN, (WALL_PX_MIN * SMALL_MAP_UNITS) / map.width);
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
    if (scene.zone) {
      context.strokeStyle = cssColor(COLORS.danger);
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(scene.zone.x * this.scale, scene.zone.y * this.scale, scene.zone.radius * this.scale, 0, 2 * Math.PI);
      context.stroke();
    }
    for (const fighter of scene.fighters) {
      context.fillStyle = cssColor(playerColor(fighter.player, fighter.own));
      context.beginPath();
      context.arc(fighter.x * this.scale, fighter.y * this.scale, fighter.own ? 5 : 3.5, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
