// Tells the server that somebody sits here. It knows people by inputs that change, and keys that mean nothing in the game, or that
// are pressed in a dialog or in the lobby, change none.
import type { InputCapture } from './capture';
import type { Vector } from './controls';

/** While a person is known to be here, one sign in so long is enough. */
const SIGN_INTERVAL_MS = 2_000;

const SIGNS = ['keydown', 'pointerdown', 'pointermove'] as const;

export class Presence {
  private readonly capture: InputCapture;
  private readonly now: () => number;
  private idle = false;
  private signedMs = -Infinity;
  private pointer: Vector = { x: NaN, y: NaN };

  constructor(capture: InputCapture, now: () => number = () => performance.now()) {
    this.capture = capture;
    this.now = now;
    for (const sign of SIGNS) {
      // Captured before a dialog takes it.
      window.addEventListener(
        sign,
        (event) => {
          if (sign !== 'pointermove' || this.hasMoved(event as PointerEvent)) this.sign();
        },
        { capture: true, passive: true },
      );
    }
  }

  /** The server takes the player for absent: the next sign counts at once. */
  set isIdle(idle: boolean) {
    if (idle && !this.idle) this.capture.attendedMs = -Infinity;
    this.idle = idle;
  }

  get isIdle(): boolean {
    return this.idle;
  }

  private sign(): void {
    const nowMs = this.now();
    this.capture.attendedMs = nowMs;
    if (!this.idle && nowMs - this.signedMs < SIGN_INTERVAL_MS) return;
    this.signedMs = nowMs;
    this.capture.nudge();
  }

  /** Browsers tell of moves of a mouse that lies still when what is below it changes. */
  private hasMoved({ clientX: x, clientY: y }: PointerEvent): boolean {
    const moved = x !== this.pointer.x || y !== this.pointer.y;
    this.pointer = { x, y };
    return moved;
  }
}
