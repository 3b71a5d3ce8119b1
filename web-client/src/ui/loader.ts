// Loads what a match needs and the first page does not: the match's code and the browser module, at the same time.
//
// Invariant: each is asked for once, unless that failed.
import type * as MatchCode from '../match';
import type { Replica } from '@tickwire/client';

export interface LoadedParts {
  readonly match: typeof MatchCode;
  readonly replica: Replica;
}

export interface Sources {
  readonly match: () => Promise<typeof MatchCode>;
  readonly replica: () => Promise<Replica>;
}

export class Loader {
  private readonly sources: Sources;
  private loading: Promise<LoadedParts> | null = null;
  private parts: LoadedParts | null = null;

  constructor(sources: Sources) {
    this.sources = sources;
  }

  /** What is there already; null before. */
  get loaded(): LoadedParts | null {
    return this.parts;
  }

  load(): Promise<LoadedParts> {
    this.loading ??= this.start();
    return this.loading;
  }

  private async start(): Promise<LoadedParts> {
    try {
      const [match, replica] = await Promise.all([this.sources.match(), this.sources.replica()]);
      this.parts = { match, replica };
      return this.parts;
    } catch (error) {
      // Ask again next time: the network may be back by then.
      this.loading = null;
      throw error;
    }
  }
}

/** Runs `task` once the page has nothing better to do. */
export function whenIdle(task: () => void): void {
  // Safari has no idle callback; its types say otherwise.
  const later = (window as Partial<Pick<Window, 'requestIdleCallback'>>).requestIdleCallback;
  if (later) later.call(window, task, { timeout: 2_000 });
  else setTimeout(task, 200);
}
