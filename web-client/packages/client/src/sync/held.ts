// Which inputs need sending: the server holds the last one for ticks that have none, so only a change must go out.
//
// Invariant: what is sent, with the last one held, gives every tick the input that was decided for it.

/** An unchanged input is sent again after so many ticks: the server measures margins on it, and repairs one that it dropped. */
export const REPEAT_TICKS = 15;

export class HeldInput {
  private fields: readonly number[] | null = null;
  private sentTick = 0;

  /** Whether the input decided for `tick` must be sent; if so it counts as sent. Ticks rise. */
  mustSend(tick: number, fields: readonly number[]): boolean {
    const { fields: held, sentTick } = this;
    const isHeld = held?.length === fields.length && held.every((value, index) => value === fields[index]);
    if (isHeld && tick - sentTick < REPEAT_TICKS) return false;
    this.fields = [...fields];
    this.sentTick = tick;
    return true;
  }

  /** A new session begins with the neutral input. */
  restart(): void {
    this.fields = null;
  }
}
