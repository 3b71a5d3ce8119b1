// Exponential backoff with full jitter: after a server restart, thousands of pages must not return in step.

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random: () => number;
}

export class Backoff {
  private failures = 0;
  private readonly options: BackoffOptions;

  constructor(options: Partial<BackoffOptions> = {}) {
    this.options = { baseMs: 500, maxMs: 10_000, random: Math.random, ...options };
  }

  /** How many times in a row it failed. */
  get attempt(): number {
    return this.failures;
  }

  /** How long to wait before the next try. The first is short, because most losses are a blip. */
  next(): number {
    const ceiling = Math.min(this.options.maxMs, this.options.baseMs * 2 ** this.failures);
    this.failures += 1;
    return Math.round(this.options.random() * ceiling);
  }

  reset(): void {
    this.failures = 0;
  }
}
