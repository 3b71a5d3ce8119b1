// `window.tickwire`: what this page knows, read-only, for bug reports and for tests that watch a real page. It changes
// nothing and holds no credential.
import type { ArenaDescription, DrawnFighter } from '@tickwire/arena';
import type { GameScreen } from './match';
import type { App } from './ui/app';

export interface DebugState {
  /** Changes when a field changes its meaning. */
  readonly version: 1;
  /** The page's phase: landing, connecting, playing, lost, recovering, ended or error. */
  readonly phase: string;
  /** connecting, live, waiting, closed, or none. */
  readonly connection: string;
  readonly matchId: string | null;
  /** waiting, countdown, live or finished. */
  readonly matchPhase: string | null;
  readonly player: number | null;
  /** Newest snapshot's tick. */
  readonly tick: number | null;
  /** How messages reach the server: websocket, stream or poll. */
  readonly path: string;
  readonly pingMs: number | null;
  /** How early inputs reach the server, in ticks. */
  readonly marginTicks: number | null;
  readonly interpolationDelayMs: number | null;
  readonly jitterMs: number | null;
  /** Units between where the own fighter is drawn and where it is predicted. */
  readonly correction: number;
  readonly health: number | null;
  readonly score: number | null;
  readonly own: DrawnFighter | null;
  /** As drawn now, in world units. */
  readonly fighters: readonly DrawnFighter[];
  readonly shotCount: number;
}

declare global {
  interface Window {
    tickwire?: DebugState;
  }
}

export function installDebugSurface(app: App): void {
  const session = (): GameScreen['session'] => app.screen?.session ?? null;
  const shown = (): ArenaDescription | null => app.screen?.view.describe() ?? null;
  const state: DebugState = {
    version: 1,
    get phase() {
      return app.phase;
    },
    get connection() {
      return session()?.connection.state.kind ?? 'none';
    },
    get matchId() {
      return session()?.welcomed?.matchId ?? null;
    },
    get matchPhase() {
      return app.screen?.view.phase ?? null;
    },
    get player() {
      return session()?.player ?? null;
    },
    get tick() {
      return session()?.latest?.tick ?? null;
    },
    get path() {
      return app.path;
    },
    get pingMs() {
      return session()?.pingMs ?? null;
    },
    get marginTicks() {
      return session()?.marginTicks ?? null;
    },
    get interpolationDelayMs() {
      return session()?.buffer.delayMs ?? null;
    },
    get jitterMs() {
      return session()?.buffer.jitterMs ?? null;
    },
    get correction() {
      return shown()?.correction ?? 0;
    },
    get health() {
      return shown()?.health ?? null;
    },
    get score() {
      return shown()?.score ?? null;
    },
    get own() {
      return shown()?.fighters.find((fighter) => fighter.own) ?? null;
    },
    get fighters() {
      return shown()?.fighters ?? [];
    },
    get shotCount() {
      return shown()?.shotCount ?? 0;
    },
  };
  Object.defineProperty(window, 'tickwire', { value: Object.freeze(state), enumerable: true });
}
