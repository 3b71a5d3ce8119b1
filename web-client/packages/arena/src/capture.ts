// Listens to keyboard, mouse and touch over the stage and holds what is pressed now.
//
// Invariant: nothing stays pressed while the page cannot see it released (blur, hidden tab, open dialog).
import { MOUSE, actionOf, aimOf, keysToMove, stickToMove, type Vector } from './controls';
import { AIM_UNITS, BUTTONS, type Button, type Input } from './generated';
import { STICK_RADIUS_PX, stickPlace, type Box } from './stick-place';

/** The aiming stick fires beyond this share of its radius. */
const FIRE_DEFLECTION = 0.45;

/** So long after the last sign of a person, their mouse no longer aims. */
const ATTENDED_MS = 5_000;
/** More than two, so that two signs within a tick do not cancel out. Together they turn the aim by less than a tenth of a degree. */
const NUDGES = 8;

interface Stick {
  readonly pointer: number;
  /** Where the finger came down: what it does is measured from there. */
  readonly startX: number;
  readonly startY: number;
  /** Where the stick is drawn, which is not under another control. */
  readonly originX: number;
  readonly originY: number;
  dx: number;
  dy: number;
}

/** What the touch overlay draws. */
export interface StickView {
  readonly originX: number;
  readonly originY: number;
  readonly dx: number;
  readonly dy: number;
}

export interface CaptureOptions {
  readonly stage: HTMLElement;
  /** What fingers press. */
  readonly buttons: ReadonlyMap<Button, HTMLElement>;
  /** Where the own fighter is drawn, in page pixels. */
  readonly ownPlace: () => Vector;
  /** What a stick must not cover. */
  readonly taken: () => readonly Box[];
  /** The first touch: show the touch controls. */
  readonly onTouch: () => void;
  readonly onScores: (shown: boolean) => void;
  readonly onMenu: () => void;
}

export class InputCapture {
  /** When somebody did something last, whatever it was. */
  attendedMs = -Infinity;
  private readonly options: CaptureOptions;
  private readonly listening = new AbortController();
  private readonly held = new Set<string>();
  private left: Stick | null = null;
  private right: Stick | null = null;
  private mouse: Vector | null = null;
  private mouseFire = false;
  private readonly touched = new Set<Button>();
  /** A press shorter than a tick still counts once. */
  private readonly latched = new Set<Button>();
  private aim = 0;
  private nudged = 0;
  /** Off until there is a match: before that, keys are the page's own. */
  private enabledNow = false;

  constructor(options: CaptureOptions) {
    this.options = options;
    this.listenToKeys();
    this.listenToPointers();
    for (const [button, element] of options.buttons) this.listenToButton(button, element);
    const release = (): void => {
      this.releaseAll();
    };
    window.addEventListener('blur', release, { signal: this.listening.signal });
    document.addEventListener('visibilitychange', release, { signal: this.listening.signal });
  }

  /** Off while a dialog is open: its keys are its own. */
  set enabled(enabled: boolean) {
    if (!enabled) this.releaseAll();
    this.enabledNow = enabled;
  }

  get sticks(): { readonly left: StickView | null; readonly right: StickView | null } {
    return { left: this.left, right: this.right };
  }

  /** What is pressed now. Clears presses that were already released. */
  read(): Input {
    const keys = keysToMove(this.held);
    const move = this.left ? stickToMove(this.left.dx, this.left.dy, STICK_RADIUS_PX) : keys;
    if (this.isAttended(performance.now())) this.aim = this.aimNow(move) ?? this.aim;
    const stickFire =
      this.right !== null && Math.hypot(this.right.dx, this.right.dy) > FIRE_DEFLECTION * STICK_RADIUS_PX;
    const pressed = new Set<string | null>([...this.touched, ...this.latched, ...[...this.held].map(actionOf)]);
    if (this.mouseFire || stickFire) pressed.add('fire');
    const buttons = Object.fromEntries(BUTTONS.map((button) => [button, pressed.has(button)]));
    this.latched.clear();
    const aim = (this.aim + this.nudged) % AIM_UNITS;
    return { move_x: move.x, move_y: move.y, aim, ...(buttons as Record<Button, boolean>) };
  }

  /**
   * Somebody is there, though what they pressed means nothing in the game: turns the aim by a hair, because the server knows who
   * is there by inputs that change.
   */
  nudge(): void {
    this.nudged = (this.nudged + 1) % NUDGES;
  }

  dispose(): void {
    this.listening.abort();
  }

  /**
   * A mouse that lies still aims elsewhere whenever the fighter is moved, by a respawn or by a bot that stands in; that is nobody's
   * doing, and must not look like it.
   */
  private isAttended(nowMs: number): boolean {
    const holds = this.held.size > 0 || this.mouseFire || this.left !== null || this.right !== null;
    return holds || nowMs - this.attendedMs < ATTENDED_MS;
  }

  /** Stick, else mouse, else the way the fighter walks, so that keys alone are enough to play. */
  private aimNow(move: Vector): number | null {
    if (this.right) return aimOf(this.right.dx, this.right.dy);
    if (this.mouse) {
      const own = this.options.ownPlace();
      return aimOf(this.mouse.x - own.x, this.mouse.y - own.y);
    }
    return aimOf(move.x, move.y);
  }

  private listenToKeys(): void {
    const { signal } = this.listening;
    window.addEventListener(
      'keydown',
      (event) => {
        if (!this.enabledNow || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.code === 'Tab') this.options.onScores(true);
        else if (event.code === 'Escape') this.options.onMenu();
        else if (actionOf(event.code)) this.pressKey(event.code, event.repeat);
        else return;
        event.preventDefault();
      },
      { signal },
    );
    window.addEventListener(
      'keyup',
      (event) => {
        this.held.delete(event.code);
        if (event.code === 'Tab') this.options.onScores(false);
      },
      { signal },
    );
  }

  private pressKey(code: string, repeat: boolean): void {
    this.held.add(code);
    if (repeat) return;
    for (const button of BUTTONS) if (actionOf(code) === button) this.latched.add(button);
  }

  private listenToPointers(): void {
    const { stage } = this.options;
    const { signal } = this.listening;
    stage.addEventListener(
      'contextmenu',
      (event) => {
        event.preventDefault();
      },
      { signal },
    );
    stage.addEventListener(
      'pointerdown',
      (event) => {
        this.pointerDown(event);
      },
      { signal },
    );
    window.addEventListener(
      'pointermove',
      (event) => {
        this.pointerMove(event);
      },
      { signal },
    );
    for (const end of ['pointerup', 'pointercancel'] as const) {
      window.addEventListener(
        end,
        (event) => {
          this.pointerEnd(event);
        },
        { signal },
      );
    }
  }

  private pointerDown(event: PointerEvent): void {
    if (!this.enabledNow) return;
    event.preventDefault();
    if (event.pointerType !== 'touch') {
      this.mouse = { x: event.clientX, y: event.clientY };
      const button = MOUSE[event.button];
      if (button) this.latched.add(button);
      if (button === 'fire') this.mouseFire = true;
      return;
    }
    this.options.onTouch();
    this.mouse = null;
    const side = event.clientX < window.innerWidth / 2 ? 'left' : 'right';
    this[side] ??= this.stickAt(event, side);
  }

  private stickAt(event: PointerEvent, side: 'left' | 'right'): Stick {
    const finger = { x: event.clientX, y: event.clientY };
    const screen = { x: window.innerWidth, y: window.innerHeight };
    const origin = stickPlace(finger, side, screen, this.options.taken());
    return {
      pointer: event.pointerId,
      startX: finger.x,
      startY: finger.y,
      originX: origin.x,
      originY: origin.y,
      dx: 0,
      dy: 0,
    };
  }

  private pointerMove(event: PointerEvent): void {
    if (event.pointerType !== 'touch') {
      this.mouse = { x: event.clientX, y: event.clientY };
      return;
    }
    for (const stick of [this.left, this.right]) {
      if (stick?.pointer !== event.pointerId) continue;
      stick.dx = event.clientX - stick.startX;
      stick.dy = event.clientY - stick.startY;
    }
  }

  private pointerEnd(event: PointerEvent): void {
    if (event.pointerType !== 'touch') {
      if (MOUSE[event.button] === 'fire' || event.type === 'pointercancel') this.mouseFire = false;
      return;
    }
    if (this.left?.pointer === event.pointerId) this.left = null;
    if (this.right?.pointer === event.pointerId) this.right = null;
  }

  private listenToButton(button: Button, element: HTMLElement): void {
    const { signal } = this.listening;
    element.addEventListener(
      'pointerdown',
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        this.touched.add(button);
        this.latched.add(button);
      },
      { signal },
    );
    for (const end of ['pointerup', 'pointercancel', 'pointerleave'] as const) {
      element.addEventListener(
        end,
        () => {
          this.touched.delete(button);
        },
        { signal },
      );
    }
  }

  private releaseAll(): void {
    this.held.clear();
    this.left = null;
    this.right = null;
    this.mouseFire = false;
    this.touched.clear();
    this.latched.clear();
    this.options.onScores(false);
  }
}
