// Loads what a match needs and the first page does not: the arena's code and the browser module, at the same time.
//
// Invariant: each is asked for once, unless that failed.
import type * as Arena from '../match';
import type { Replica } from '@tickwire/client';

export interface Game {
  readonly arena: typeof Arena;
  readonly replica: Replica;
}

export interface Parts {
  readonly arena: () => Promise<typeof Arena>;
  readonly replica: () => Promise<Replica>;
}

export class Loader {
  private readonly parts: Parts;
  private loading: Promise<Game> | null = null;
  private game: Game | null = null;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** What is there already; null before. */
  get loaded(): Game | null {
    return this.game;
  }

  load(): Promise<Game> {
    this.loading ??= this.start();
    return this.loading;
  }

  private async start(): Promise<Game> {
    try {
      const [arena, replica] = await Promise.all([this.parts.arena(), this.parts.replica()]);
      this.game = { arena, replica };
      return this.game;
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
