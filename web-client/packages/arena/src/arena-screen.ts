// A player's match in the arena: stage, HUD, controls and results around a session that the page brings.
import type { Phase, Replica, Results } from '@tickwire/client';
import { el, setHidden, type GameView, type GameViewOptions } from '@tickwire/ui';
import { announcement } from './announcements';
import { InputCapture } from './capture';
import { SUBUNITS, type GameEvent, type Input } from './generated';
import { Hud } from './hud';
import { buildHud, deathNote, feedLine, killNote, type HudModel } from './hud-model';
import { Minimap } from './minimap';
import { Presence } from './presence';
import { ResultsFlow } from './results-flow';
import { TELEPORT_UNITS } from './scene';
import type { ArenaSession } from './session';
import type { Box } from './stick-place';
import { Sticks } from './sticks';
import { ArenaView, type Frame } from './view';

const HUD_INTERVAL_MS = 50;

export class ArenaScreen implements GameView<Input, GameEvent> {
  /** A respawn, not an error of the prediction. */
  readonly teleport = TELEPORT_UNITS * SUBUNITS;
  private readonly options: GameViewOptions;
  private readonly element: HTMLElement;
  private readonly view: ArenaView;
  private readonly hud = new Hud();
  private readonly minimap: Minimap;
  private readonly sticks = new Sticks();
  private readonly capture: InputCapture;
  private readonly presence: Presence;
  private readonly results: ResultsFlow;
  private session: ArenaSession | null = null;
  private model: HudModel | null = null;
  private isCovered = false;
  private hudMs = 0;

  private constructor(element: HTMLElement, view: ArenaView, options: GameViewOptions) {
    this.element = element;
    this.view = view;
    this.options = options;
    this.minimap = new Minimap(view.map);
    this.capture = this.listen();
    this.presence = new Presence(this.capture);
    this.results = new ResultsFlow(options);
    element.append(this.minimap.element, this.hud.element, this.sticks.element);
    if (window.matchMedia('(pointer: coarse)').matches) this.showTouchControls();
    window.addEventListener('resize', () => {
      this.placeSticks();
    });
    this.followView();
  }

  /** Builds the screen inside `element`. */
  static async create(element: HTMLElement, replica: Replica, options: GameViewOptions): Promise<ArenaScreen> {
    const stage = el('div', { class: 'stage', 'data-testid': 'stage' });
    element.append(stage);
    return new ArenaScreen(element, await ArenaView.create(stage, replica), options);
  }

  /** Where the match is in its life, as last shown; null before anything was. */
  get phase(): Phase | null {
    return this.model?.phase ?? null;
  }

  /** The results take the keys. */
  get isBusy(): boolean {
    return this.results.isOpen;
  }

  /** Shows a session. `isNewcomer`: the player has just got the seat; `canInvite`: a link leads others into the match. */
  begin(session: ArenaSession, isNewcomer: boolean, canInvite: boolean): void {
    this.session = session;
    this.results.begin(isNewcomer);
    setHidden(this.hud.inviteButton, !canInvite);
    this.view.show(session);
  }

  /** Shows nothing any more. */
  end(): void {
    this.session = null;
    this.model = null;
    this.view.show(null);
    this.results.close();
    this.presence.isIdle = false;
    this.hud.showIdle('');
  }

  /** The session has a seat, again after every reconnect. */
  welcomed(): void {
    this.view.welcomed();
    this.model = null;
    this.results.welcomed();
  }

  readInput(): Input {
    return this.capture.read();
  }

  /** The session predicted the own fighter one tick further. */
  stepped(tick: number, row: Int32Array | null): void {
    this.view.stepped(tick, row);
  }

  happened(event: GameEvent, tick: number): void {
    this.view.queueEvent(event, tick);
  }

  rosterChanged(): void {
    if (this.session) this.results.remember(this.session);
  }

  showResults(results: Results): void {
    if (this.session) this.results.show(results, this.session, this.model);
  }

  /** The match ended for good. True if the results are on screen and stay. */
  matchOver(): boolean {
    return this.results.over();
  }

  /** Whether keys, mouse and fingers play. */
  set enabled(enabled: boolean) {
    this.capture.enabled = enabled;
  }

  /** Something else stands over the match that has not begun: nothing but the stage is shown. */
  set covered(covered: boolean) {
    this.isCovered = covered;
    for (const part of [this.hud.element, this.minimap.element, this.sticks.element]) setHidden(part, covered);
    this.placeSticks();
  }

  /** How messages go, if not the usual way. */
  showPath(sentence: string): void {
    this.hud.showPath(sentence);
  }

  /** What is on the screen, for `window.tickwire`. */
  describe(): ArenaDescription {
    const { model, session } = this;
    const scene = this.view.lastScene;
    const error = Math.hypot(...(session?.correction ?? []));
    return {
      health: model?.health ?? null,
      score: model?.score ?? null,
      correction: error / SUBUNITS,
      fighters: (scene?.fighters ?? []).map(({ player, x, y, health, own }) => {
        return { player, name: session?.roster.get(player)?.name ?? '', x, y, health, own };
      }),
      shotCount: scene?.shots.length ?? 0,
    };
  }

  private get isTouch(): boolean {
    return this.element.classList.contains('touch');
  }

  private listen(): InputCapture {
    const { hud, view, options } = this;
    hud.menuButton.addEventListener('click', options.onMenu);
    hud.inviteButton.addEventListener('click', options.onInvite);
    hud.scoresButton.addEventListener('click', () => {
      hud.toggleScores();
      hud.scoresButton.blur();
    });
    return new InputCapture({
      stage: view.stage,
      buttons: hud.buttons,
      ownPlace: () => view.ownPlace(),
      taken: () => this.taken(),
      onTouch: () => {
        this.showTouchControls();
      },
      onScores: (shown) => {
        hud.showScores(shown);
      },
      onMenu: options.onMenu,
    });
  }

  private followView(): void {
    const { view, hud } = this;
    view.onFrame = (frame) => {
      this.frame(frame);
    };
    view.onMap = (map) => {
      this.minimap.show(map);
    };
    view.onEvent = (event) => {
      if (!this.session) return;
      const { roster, player } = this.session;
      const line = feedLine(event, roster, player);
      if (line) hud.addFeed(line);
      const death = deathNote(event, roster, player);
      if (death) hud.kills.showDeath(death);
      const kill = killNote(event, roster, player);
      if (kill) hud.kills.addKill(kill);
    };
  }

  private frame({ scene, nowMs }: Frame): void {
    this.minimap.draw(scene, nowMs);
    this.sticks.update(this.capture.sticks);
    if (nowMs - this.hudMs < HUD_INTERVAL_MS) return;
    this.hudMs = nowMs;
    const { session } = this;
    const snapshot = session?.latest;
    if (!session || !snapshot) return;
    const before = this.model;
    const model = buildHud({
      tables: this.view.tables,
      snapshot,
      roster: session.roster,
      player: session.player,
      tickRate: session.tickRate,
      dashReadyIn: scene.own?.dashReadyIn ?? null,
      protectedFor: scene.own?.protectedFor ?? null,
    });
    this.model = model;
    if (before?.phase !== model.phase) this.options.onChange();
    this.hud.update(model, session.pingMs, session.quality);
    if (!this.isCovered) this.options.say(announcement(before, model));
    this.followPresence(session, model);
    if (this.results.follow(session, model, snapshot.tick)) this.options.onChange();
  }

  private followPresence(session: ArenaSession, { phase }: HudModel): void {
    const idle =
      session.roster.get(session.player ?? -1)?.presence === 'idle' && (phase === 'countdown' || phase === 'live');
    if (idle === this.presence.isIdle) return;
    this.presence.isIdle = idle;
    const way = this.isTouch ? 'Touch the screen' : 'Press any key';
    const note = idle ? `You were away: a bot plays for you. ${way} to play on.` : '';
    this.hud.showIdle(note);
    this.options.say(note);
  }

  private showTouchControls(): void {
    this.element.classList.add('touch');
    this.placeSticks();
  }

  private placeSticks(): void {
    if (!this.isTouch) return;
    this.sticks.rest({ x: window.innerWidth, y: window.innerHeight }, this.taken());
  }

  /** What the sticks must leave free. */
  private taken(): readonly Box[] {
    const { buttons, bottom } = this.hud;
    return [...buttons.values(), bottom, this.minimap.element]
      .map((element) => element.getBoundingClientRect())
      .filter((box) => box.width > 0);
  }
}

/** A fighter as drawn now, in world units. */
export interface DrawnFighter {
  readonly player: number;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly health: number;
  readonly own: boolean;
}

export interface ArenaDescription {
  readonly health: number | null;
  readonly score: number | null;
  /** Units between where the own fighter is drawn and where it is predicted. */
  readonly correction: number;
  readonly fighters: readonly DrawnFighter[];
  readonly shotCount: number;
}
