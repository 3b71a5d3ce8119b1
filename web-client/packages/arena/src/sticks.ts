// Draws the two touch sticks where the fingers are, and faintly where they may come down.
import { el, setHidden } from '@tickwire/ui';
import type { StickView } from './capture';
import type { Vector } from './controls';
import { STICK_RADIUS_PX, stickPlace, type Box } from './stick-place';

export class Sticks {
  readonly element: HTMLElement;
  private readonly left = new StickElement('left');
  private readonly right = new StickElement('right');

  constructor() {
    this.element = el('div', { class: 'sticks', 'aria-hidden': 'true' }, this.left.element, this.right.element);
  }

  /** Shows both at rest, in the lower corners. */
  rest(screen: Vector, taken: readonly Box[]): void {
    this.left.rest(stickPlace({ x: 0, y: screen.y }, 'left', screen, taken));
    this.right.rest(stickPlace(screen, 'right', screen, taken));
  }

  update(sticks: { readonly left: StickView | null; readonly right: StickView | null }): void {
    this.left.update(sticks.left);
    this.right.update(sticks.right);
  }
}

class StickElement {
  readonly element: HTMLElement;
  private readonly knob = el('div', { class: 'stick-knob' });
  private home: Vector | null = null;
  /** Where it is drawn: its place, and how far the knob is from there. */
  private drawn: readonly number[] = [];

  constructor(side: string) {
    this.element = el('div', { class: 'stick', 'data-testid': `stick-${side}`, hidden: true }, this.knob);
  }

  rest(place: Vector): void {
    this.home = place;
  }

  update(stick: StickView | null): void {
    const place = stick ? { x: stick.originX, y: stick.originY } : this.home;
    setHidden(this.element, place === null);
    this.element.classList.toggle('held', stick !== null);
    if (!place) return;
    const length = stick ? Math.hypot(stick.dx, stick.dy) : 0;
    const scale = length > STICK_RADIUS_PX ? STICK_RADIUS_PX / length : 1;
    const [x, y] = [place.x - STICK_RADIUS_PX, place.y - STICK_RADIUS_PX];
    const [dx, dy] = [(stick?.dx ?? 0) * scale, (stick?.dy ?? 0) * scale];
    const drawn = [x, y, dx, dy];
    if (drawn.every((value, index) => value === this.drawn[index])) return;
    this.drawn = drawn;
    this.element.style.transform = `translate(${x}px, ${y}px)`;
    this.knob.style.transform = `translate(${dx}px, ${dy}px)`;
  }
}
