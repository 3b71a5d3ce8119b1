// A match in the arena, watched without a seat in it: the player's picture, and the scores beside it.
import type { Replica } from '@tickwire/client';
import type { WatchView, WatchViewOptions } from '@tickwire/ui';
import type { GameEvent, Input } from './generated';
import { buildHud } from './hud-model';
import { Scoreboard } from './scoreboard';
import type { ArenaSession } from './session';
import { ArenaView } from './view';

const SIDE_INTERVAL_MS = 200;

export class SpectatorScreen implements WatchView<Input, GameEvent> {
  /** What belongs beside the stage. */
  readonly side: HTMLElement;
  private readonly options: WatchViewOptions;
  private readonly view: ArenaView;
  private readonly scores = new Scoreboard('Players in this match');
  private session: ArenaSession | null = null;
  private sideMs = 0;

  private constructor(view: ArenaView, options: WatchViewOptions) {
    this.view = view;
    this.options = options;
    this.side = this.scores.element;
    view.onFrame = ({ nowMs }) => {
      this.updateSide(nowMs);
    };
  }

  /** Draws in `stage`, which must be in the page: the renderer takes its size from there. */
  static async create(stage: HTMLElement, replica: Replica, options: WatchViewOptions): Promise<SpectatorScreen> {
    return new SpectatorScreen(await ArenaView.create(stage, replica), options);
  }

  begin(session: ArenaSession): void {
    this.session = session;
    this.view.show(session);
  }

  welcomed(): void {
    this.view.welcomed();
  }

  happened(event: GameEvent, tick: number): void {
    this.view.queueEvent(event, tick);
  }

  /** Looks at this player; null: at the whole map. */
  follow(player: number | null): void {
    this.view.followed = player;
  }

  dispose(): void {
    this.view.dispose();
  }

  private updateSide(nowMs: number): void {
    const { session, view } = this;
    if (!session?.latest || nowMs - this.sideMs < SIDE_INTERVAL_MS) return;
    this.sideMs = nowMs;
    const hud = buildHud({
      tables: view.tables,
      snapshot: session.latest,
      roster: session.roster,
      player: null,
      tickRate: session.tickRate,
      dashReadyIn: null,
    });
    this.scores.update(hud.lines);
    this.options.onStatus(hud.timer === '' ? hud.phase : `${hud.phase} ${hud.timer}`);
  }
}
