// Asks for something that changes now and then: often while it does, rarely while it does not, more rarely while it fails, and
// never while nobody looks.

export interface PollerOptions<T> {
  readonly ask: () => Promise<T>;
  readonly onAnswer: (answer: T) => void;
  readonly onFailure: () => void;
  readonly isHidden: () => boolean;
}

const SOON_MS = 4_000;
const UNCHANGED_FACTOR = 1.5;
const UNCHANGED_MAX_MS = 15_000;
const FAILED_FACTOR = 2;
const FAILED_MAX_MS = 60_000;

export class Poller<T> {
  private readonly options: PollerOptions<T>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private asking = false;
  private waitMs = SOON_MS;
  private last = '';

  constructor(options: PollerOptions<T>) {
    this.options = options;
  }

  start(): void {
    this.running = true;
    this.waitMs = SOON_MS;
    void this.ask();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** Call when the page was hidden or shown. */
  visibilityChanged(): void {
    if (!this.running) return;
    clearTimeout(this.timer);
    if (this.options.isHidden()) return;
    this.waitMs = SOON_MS;
    void this.ask();
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    if (this.asking || this.options.isHidden()) return;
    this.asking = true;
    try {
      const answer = await this.options.ask();
      this.answered(answer);
    } catch {
      this.waitMs = Math.min(FAILED_MAX_MS, this.waitMs * FAILED_FACTOR);
      if (this.running) this.options.onFailure();
    }
    this.asking = false;
    if (this.running && !this.options.isHidden()) {
      this.timer = setTimeout(() => void this.ask(), this.waitMs);
    }
  }

  private answered(answer: T): void {
    const text = JSON.stringify(answer);
    const longer = Math.min(UNCHANGED_MAX_MS, this.waitMs * UNCHANGED_FACTOR);
    this.waitMs = text === this.last ? longer : SOON_MS;
    this.last = text;
    if (this.running) this.options.onAnswer(answer);
  }
}
