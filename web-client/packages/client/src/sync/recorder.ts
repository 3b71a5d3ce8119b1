// Keeps what a player did, so that a load test's bots can play it: the Input message of every tick, sent or not.
//
// Invariant: bounded. After an hour at 60 Hz nothing more is kept.
import { toHex } from '../replica/hex';

/** An hour at 60 Hz, which is also the longest recording that the load test reads. */
const INPUTS_MAX = 60 * 60 * 60;

export class InputRecorder {
  private readonly inputs: string[] = [];
  private readonly game: string;

  constructor(game: string) {
    this.game = game;
  }

  get length(): number {
    return this.inputs.length;
  }

  /** A new seat numbers its ticks anew. */
  restart(): void {
    this.inputs.length = 0;
  }

  add(message: Uint8Array): void {
    if (this.inputs.length < INPUTS_MAX) this.inputs.push(toHex(message));
  }

  /** What `tickwire-loadtest --replay` reads. */
  toJson(): string {
    return JSON.stringify({ game: this.game, inputs: this.inputs });
  }
}
