// Points at who killed the own fighter: a ring with a pointer above it, and where it is out of the
// picture an arrow at the edge.
import { Container, Graphics } from 'pixi.js';
import type { View } from './camera';
import type { Vector } from './controls';
import { COLORS } from './palette';
import { FIGHTER_RADIUS } from './generated';

/** From the edge of the screen, pixels. */
const EDGE_PX = 46;
/** Above the name. */
const POINTER_Y = -FIGHTER_RADIUS - 66;

export class KillerMarker {
  /** In the world. */
  readonly ring = new Container();
  /** On the screen. */
  readonly arrow = new Graphics();
  private readonly pointer = new Graphics();

  constructor() {
    const circle = new Graphics().circle(0, 0, FIGHTER_RADIUS + 12).stroke({ width: 4, color: COLORS.danger });
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const [x, y] = [Math.cos((quarter * Math.PI) / 2), Math.sin((quarter * Math.PI) / 2)];
      const [near, far] = [FIGHTER_RADIUS + 6, FIGHTER_RADIUS + 20];
      circle.moveTo(x * near, y * near).lineTo(x * far, y * far);
    }
    circle.stroke({ width: 4, color: COLORS.danger });
    this.pointer.poly([-13, 0, 13, 0, 0, 15]).fill(COLORS.danger).stroke({ width: 2, color: COLORS.void });
    this.arrow.poly([18, 0, -10, 13, -4, 0, -10, -13]).fill(COLORS.danger).stroke({ width: 2, color: COLORS.void });
    this.ring.addChild(circle, this.pointer);
    this.hide();
  }

  hide(): void {
    this.ring.visible = false;
    this.arrow.visible = false;
  }

  /** The killer is at `place`; the screen is `width` by `height`. */
  show(place: Vector, view: View, width: number, height: number, bob: number): void {
    const [dx, dy] = [(place.x - view.x) * view.scale, (place.y - view.y) * view.scale];
    const [reachX, reachY] = [width / 2 - EDGE_PX, height / 2 - EDGE_PX];
    const outside = Math.max(Math.abs(dx) / reachX, Math.abs(dy) / reachY);
    this.ring.visible = true;
    this.ring.position.set(place.x, place.y);
    this.pointer.y = POINTER_Y + 5 * bob;
    this.arrow.visible = outside > 1;
    if (outside <= 1) return;
    this.arrow.position.set(width / 2 + dx / outside, height / 2 + dy / outside);
    this.arrow.rotation = Math.atan2(dy, dx);
  }
}
