// Draws the two touch sticks where the fingers are.
import { el, setHidden } from '../ui/dom';
import type { StickView } from './capture';

const RADIUS_PX = 56;

export class Sticks {
  readonly element: HTMLElement;
  private readonly left = new StickElement();
  private readonly right = new StickElement();

  constructor() {
    this.element = el('div', { class: 'sticks', 'aria-hidden': 'true' }, this.left.element, this.right.element);
  }

  update(sticks: { readonly left: StickView | null; readonly right: StickView | null }): void {
    this.left.update(sticks.left);
    this.right.update(sticks.right);
  }
}

class StickElement {
  private readonly knob = el('div', { class: 'stick-knob' });
  readonly element = el('div', { class: 'stick', hidden: true }, this.knob);

  update(stick: StickView | null): void {
    setHidden(this.element, stick === null);
    if (!stick) return;
    const length = Math.hypot(stick.dx, stick.dy);
    const scale = length > RADIUS_PX ? RADIUS_PX / length : 1;
    this.element.style.transform = `translate(${stick.originX - RADIUS_PX}px, ${stick.originY - RADIUS_PX}px)`;
    this.knob.style.transform = `translate(${stick.dx * scale}px, ${stick.dy * scale}px)`;
  }
}
