// One player's screen during a match: stage, HUD, controls, menu and results around one session.
import type { ConnectionState, Credential, SocketLike } from '../net/connection';
import type { Results, RosterEntry, Welcome } from '../net/control';
import type { Replica } from '../net/wasm';
import { InputRecorder } from '../sync/recorder';
import { MatchSession } from '../sync/session';
import { button, el, setHidden } from '../ui/dom';
import { Dialog } from '../ui/dialog';
import { inviteRow } from '../ui/invite';
import { controlsHelp } from '../ui/landing';
import { InputCapture } from './capture';
import { inputFields } from './controls';
import { parseArenaEvent } from './events';
import { Hud } from './hud';
import { buildHud, deathNote, feedLine, killNote, type HudModel } from './hud-model';
import { Minimap } from './minimap';
import { ResultsScreen } from './results';
import { Sticks } from './sticks';
import { SUBUNITS } from './tables';
import { TELEPORT_UNITS } from './scene';
import { ArenaView, type Frame } from './view';

export interface PlayScreenOptions {
  readonly onState: (state: ConnectionState) => void;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onPlayAgain: () => void;
  readonly onLeave: () => void;
}

export interface MatchStart {
  readonly credential: Credential;
  readonly openSocket: () => SocketLike;
  readonly code: string;
  /** The player made this match: offer the link at once. */
  readonly created: boolean;
}

const HUD_INTERVAL_MS = 50;

export class PlayScreen {
  readonly element: HTMLElement;
  session: MatchSession | null = null;
  model: HudModel | null = null;
  private readonly options: PlayScreenOptions;
  private readonly replica: Replica;
  private readonly view: ArenaView;
  private readonly hud: Hud;
  private readonly minimap: Minimap;
  private readonly sticks = new Sticks();
  private readonly capture: InputCapture;
  private readonly inviteSlot = el('aside', { class: 'invite-panel', 'aria-label': 'Invite', hidden: true });
  private menu: Dialog | null = null;
  private results: ResultsScreen | null = null;
  private sawFinished = false;
  private code = '';
  /** Only with `?record` in the address. */
  private readonly recorder: InputRecorder | null;
  private hudMs = 0;

  private constructor(replica: Replica, view: ArenaView, hud: Hud, element: HTMLElement, options: PlayScreenOptions) {
    this.replica = replica;
    this.view = view;
    this.hud = hud;
    this.element = element;
    this.options = options;
    this.minimap = new Minimap(view.map);
    this.recorder = new URLSearchParams(window.location.search).has('record') ? new InputRecorder() : null;
    element.append(this.minimap.element, hud.element, this.sticks.element, this.inviteSlot);
    this.capture = new InputCapture({
      stage: view.stage,
      dashButton: hud.dashButton,
      ownPlace: () => view.ownPlace(),
      onTouch: () => {
        hud.touch = true;
      },
      onScores: (shown) => {
        hud.showScores(shown);
      },
      onMenu: () => {
        this.openMenu();
      },
    });
    this.capture.enabled = false;
    hud.menuButton.addEventListener('click', () => {
      this.openMenu();
    });
    hud.scoresButton.addEventListener('click', () => {
      hud.toggleScores();
      hud.scoresButton.blur();
    });
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

  /** Builds the screen inside `parent`, hidden. */
  static async create(parent: HTMLElement, replica: Replica, options: PlayScreenOptions): Promise<PlayScreen> {
    const stage = el('div', { class: 'stage', 'data-testid': 'stage' });
    const element = el('div', { class: 'game', 'data-testid': 'game', hidden: true }, stage);
    parent.append(element);
    const view = await ArenaView.create(stage, replica);
    return new PlayScreen(replica, view, new Hud(), element, options);
  }

  get scene(): ArenaView['lastScene'] {
    return this.view.lastScene;
  }

  /** Takes a seat, or returns to one. */
  begin(start: MatchStart): void {
    this.end();
    this.code = start.code;
    const session = new MatchSession({
      replica: this.replica,
      credential: start.credential,
      openSocket: start.openSocket,
      body: this.view.tables.body,
      teleport: TELEPORT_UNITS * SUBUNITS,
      readInput: () => inputFields(this.capture.read()),
      onStep: (tick, row) => {
        this.view.stepped(tick, row);
      },
      onInput: (message) => {
        this.recorder?.add(message);
      },
      listener: {
        state: this.options.onState,
        welcome: (welcome) => {
          this.welcomed(welcome);
        },
        roster: () => undefined,
        results: (results) => {
          this.showResults(results);
        },
        game: (raw, tick) => {
          const event = parseArenaEvent(raw);
          if (event) this.view.queueEvent(event, tick);
        },
      },
    });
    this.session = session;
    this.view.show(session);
    this.showInvite(start.created);
    session.start();
  }

  /** Leaves whatever match there is, quietly. */
  end(): void {
    this.session?.leave();
    this.detach();
  }

  /** Drops the session without giving its seat up: it is closed already. */
  detach(): void {
    this.session = null;
    this.model = null;
    this.view.show(null);
    this.closeDialogs();
    this.capture.enabled = false;
    setHidden(this.element, true);
  }

  /** While the connection is away, keys do nothing. */
  set active(active: boolean) {
    this.capture.enabled = active && this.menu === null && this.results === null;
  }

  /** The match ended for good. True if the results are on screen and stay. */
  matchOver(): boolean {
    this.results?.over();
    return this.results !== null;
  }

  get resultsShown(): boolean {
    return this.results !== null;
  }

  private welcomed(welcome: Welcome): void {
    this.view.welcomed();
    setHidden(this.element, false);
    // A focused Play button would swallow the space bar.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    this.results?.close();
    this.results = null;
    // The size of the stage was unknown while it was hidden.
    window.dispatchEvent(new Event('resize'));
    this.recorder?.restart();
    this.options.onWelcome(welcome);
    this.active = true;
  }

  private frame({ scene, nowMs }: Frame): void {
    this.minimap.draw(scene, nowMs);
    this.sticks.update(this.capture.sticks);
    if (nowMs - this.hudMs < HUD_INTERVAL_MS) return;
    this.hudMs = nowMs;
    const { session } = this;
    const snapshot = session?.latest;
    if (!session || !snapshot) return;
    this.model = buildHud({
      tables: this.view.tables,
      snapshot,
      roster: session.roster,
      player: session.player,
      tickRate: session.tickRate,
      dashReadyIn: scene.own?.dashReadyIn ?? null,
      protectedFor: scene.own?.protectedFor ?? null,
    });
    this.hud.update(this.model, session.pingMs, session.quality);
    if (this.results) this.followResults(session, this.model, snapshot.tick);
  }

  private showResults(results: Results): void {
    const { session, model } = this;
    if (!session) return;
    const lines = resultLines(results, session.roster, session.player, model);
    this.menu?.close();
    this.menu = null;
    this.results?.close();
    this.results = new ResultsScreen({
      lines,
      onRematch: () => session.voteRematch(),
      onPlayAgain: this.options.onPlayAgain,
      onLeave: this.options.onLeave,
    });
    this.sawFinished = false;
    this.results.open();
    this.capture.enabled = false;
  }

  /** Counts down, and goes away when the next round begins. */
  private followResults(session: MatchSession, model: HudModel, tick: number): void {
    const { results } = session;
    // The results may come just before the snapshot that shows the match finished.
    if (model.phase === 'finished') this.sawFinished = true;
    else if (this.sawFinished) {
      this.results?.close();
      this.results = null;
      this.active = true;
      return;
    }
    if (results) this.results?.countdown((results.rematchBy - tick) / session.tickRate);
  }

  private openMenu(): void {
    if (this.menu || !this.session) return;
    const resume = button('Back to the match', { class: 'primary', 'data-testid': 'menu-resume' }, () => {
      this.closeMenu();
    });
    const leave = button('Leave match', { class: 'secondary', 'data-testid': 'leave' }, this.options.onLeave);
    this.menu = new Dialog(
      {
        title: 'Menu',
        testId: 'menu',
        onCancel: () => {
          this.closeMenu();
        },
      },
      el('p', { class: 'muted' }, 'The match goes on while this is open.'),
      ...(this.code === '' ? [] : [el('h3', {}, 'Invite friends'), inviteRow(this.code)]),
      controlsHelp(),
      ...(this.recorder ? [saveRecording(this.recorder)] : []),
      el('div', { class: 'dialog-actions' }, resume, leave),
    );
    this.menu.open();
    resume.focus();
    this.capture.enabled = false;
  }

  private closeMenu(): void {
    this.menu?.close();
    this.menu = null;
    this.active = true;
  }

  private closeDialogs(): void {
    this.menu?.close();
    this.menu = null;
    this.results?.close();
    this.results = null;
  }

  private showInvite(created: boolean): void {
    setHidden(this.inviteSlot, !created || this.code === '');
    if (!created || this.code === '') return;
    const close = button('Done', { class: 'link', 'data-testid': 'invite-close' }, () => {
      setHidden(this.inviteSlot, true);
    });
    this.inviteSlot.replaceChildren(
      el(
        'p',
        {},
        'Match ',
        el('b', { class: 'code', 'data-testid': 'code' }, this.code),
        ': send this link to friends',
      ),
      inviteRow(this.code),
      close,
    );
  }
}

/** For developers: what was played so far, for a load test's bots to play. */
function saveRecording(recorder: InputRecorder): HTMLElement {
  return button(`Save my ${String(recorder.length)} inputs`, { class: 'link', 'data-testid': 'save-recording' }, () => {
    const file = URL.createObjectURL(new Blob([recorder.toJson('arena')], { type: 'application/json' }));
    el('a', { href: file, download: 'tickwire-inputs.json' }).click();
    URL.revokeObjectURL(file);
  });
}

/** The server's ranking, with kills and deaths from the last snapshot. */
function resultLines(
  results: Results,
  roster: ReadonlyMap<number, RosterEntry>,
  player: number | null,
  model: HudModel | null,
): HudModel['lines'] {
  const known = new Map(model?.lines.map((line) => [line.player, line]));
  return results.ranking.map(({ player: id, score }) => ({
    player: id,
    name: roster.get(id)?.name ?? known.get(id)?.name ?? 'Someone who left',
    bot: roster.get(id)?.bot ?? false,
    own: id === player,
    score,
    kills: known.get(id)?.kills ?? 0,
    deaths: known.get(id)?.deaths ?? 0,
    rank: 1 + results.ranking.filter((other) => other.score > score).length,
  }));
}
