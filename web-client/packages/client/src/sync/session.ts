// One seat in one match, from ticket to results: joins the connection, the clock, the interpolation buffer and the
// prediction. The game's bindings say what inputs, tables and events are.
//
// Invariant: every tick has one input, decided in tick order, whether the tab is drawn or hidden; those that differ from
// the one before go out.
import type { Body, GameBindings } from '../replica/game';
import { Connection, type ConnectionState, type Credential, type SocketLike } from '../net/connection';
import type { RouteLike } from '../net/route';
import type { ControlRecord, Lobby, Results, RosterEntry, Welcome } from '../replica/control';
import { tableLayout, type TableFields } from '../replica/layout';
import type { Replica } from '../replica/wasm';
import { TickClock } from './clock';
import { HeldInput } from './held';
import { SnapshotBuffer, type Sample } from './interpolation';
import { Prediction, type PredictedBody } from './prediction';
import type { Snapshot } from '../replica/snapshot';

export interface SessionListener<Event> {
  state(state: ConnectionState): void;
  /** A seat, again after every reconnect. `resume` in it is the newest credential. */
  welcome(welcome: Welcome): void;
  results(results: Results): void;
  roster(roster: ReadonlyMap<number, RosterEntry>): void;
  /** The game's own event, with the tick of the snapshot it came with. */
  game(event: Event, tick: number): void;
  /** The match waits for its players to start it; again with every change. */
  lobby?(lobby: Lobby): void;
}

export interface SessionOptions<Input, Event> {
  readonly game: GameBindings<TableFields, Input, Event>;
  readonly replica: Replica;
  readonly credential: Credential;
  readonly openSocket: () => SocketLike;
  readonly route?: RouteLike;
  readonly listener: SessionListener<Event>;
  /**
   * The own body, if it is further than this from where it was drawn, in the numbers of its place, is drawn there at once.
   * This and the next are left out for who only watches.
   */
  readonly teleport?: number;
  /** What the player holds down now. */
  readonly readInput?: () => Input;
  /** The own body was predicted one tick further; null while there is none. */
  readonly onStep?: (tick: number, row: Int32Array | null) => void;
  /** An input was decided, as the message that says so, sent or not; the bytes are valid during the call only. */
  readonly onInput?: (message: Uint8Array) => void;
  readonly now?: () => number;
}

export type Quality = 'good' | 'fair' | 'poor' | 'lost';

/** More ticks behind than this, the missing inputs are not worth sending. */
const CATCH_UP_TICKS_MAX = 8;
const PING_FIRST_MS = 200;
const PING_MS = 1_000;
const FAST_PINGS = 5;
const FIRST_TICK_RATE = 30;
/** After so long without a snapshot, the way to the server is measured anew. */
const STALL_MS = 400;

export class MatchSession<Input, Event> {
  readonly connection: Connection;
  readonly roster = new Map<number, RosterEntry>();
  readonly buffer: SnapshotBuffer;
  private readonly options: SessionOptions<Input, Event>;
  private readonly now: () => number;
  private readonly prediction: Prediction;
  private readonly held = new HeldInput();
  private clock: TickClock | null = null;
  private seat: Welcome | null = null;
  private lastResults: Results | null = null;
  private lastLobby: Lobby | null = null;
  private drainTick: number | null = null;
  private snapshotMs: number | null = null;
  /** A snapshot came over this connection. */
  private inStep = false;
  private lastInputTick = 0;
  private nextPingMs = 0;
  private pings = 0;

  constructor(options: SessionOptions<Input, Event>) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.prediction = new Prediction(placeFields(options.game.body, options.replica), options.teleport ?? Infinity);
    this.buffer = new SnapshotBuffer(FIRST_TICK_RATE);
    this.connection = new Connection({
      replica: options.replica,
      credential: options.credential,
      openSocket: options.openSocket,
      route: options.route,
      now: this.now,
      onState: (state) => {
        options.listener.state(state);
      },
      onControl: (record) => {
        this.control(record);
      },
      onSnapshot: () => {
        this.snapshotArrived();
      },
    });
  }

  /** The own player's id; null for a spectator or before the first Welcome. */
  get player(): number | null {
    return this.seat?.player ?? null;
  }

  get welcomed(): Welcome | null {
    return this.seat;
  }

  get results(): Results | null {
    return this.lastResults;
  }

  /** What the match waits for; null before it said so. It stays when the match has begun: the phase tells. */
  get lobby(): Lobby | null {
    return this.lastLobby;
  }

  /** Somebody else plays the own seat for now: what is predicted from the own inputs is not what happens. */
  get standIn(): boolean {
    const own = this.player === null ? undefined : this.roster.get(this.player);
    return own !== undefined && own.presence !== 'here';
  }

  /** When the newest snapshot came; null before the first. */
  get lastSnapshotMs(): number | null {
    return this.snapshotMs;
  }

  get tickRate(): number {
    return this.seat?.tickRate ?? FIRST_TICK_RATE;
  }

  get latest(): Snapshot | null {
    return this.buffer.latest;
  }

  get pingMs(): number | null {
    return this.clock?.rttMs ?? null;
  }

  get marginTicks(): number | null {
    return this.clock?.marginTicks ?? null;
  }

  get correction(): readonly number[] {
    return this.prediction.error;
  }

  get quality(): Quality {
    if (this.connection.state.kind !== 'live') return 'lost';
    const rtt = this.pingMs ?? 0;
    const jitter = this.buffer.jitterMs;
    if (rtt > 250 || jitter > 120) return 'poor';
    return rtt > 120 || jitter > 50 ? 'fair' : 'good';
  }

  start(): void {
    this.connection.start();
  }

  voteRematch(): boolean {
    return this.connection.send(this.options.replica.rematch());
  }

  /** In a lobby: whether the player wants the match to start. False if it could not be said. */
  ready(ready: boolean): boolean {
    return this.connection.send(this.options.replica.ready(ready));
  }

  /** In a lobby, from its host. */
  startMatch(): boolean {
    return this.connection.send(this.options.replica.startMatch());
  }

  /** In a lobby, from its host: whether bots fill the free seats. */
  bots(bots: boolean): boolean {
    return this.connection.send(this.options.replica.bots(bots));
  }

  /** Seconds until the server restarts and the match ends with it; null while it does not. */
  drainSeconds(nowMs: number): number | null {
    if (this.drainTick === null || !this.clock) return null;
    return Math.max(0, (this.drainTick - this.clock.serverTick(nowMs)) / this.tickRate);
  }

  /** Gives the seat up and closes. */
  leave(): void {
    this.connection.send(this.options.replica.leave());
    this.connection.close('left');
  }

  /** Call once per drawn frame, before sampling. */
  frame(nowMs: number): void {
    this.pump(nowMs);
  }

  /** What to draw of the others. */
  sample(nowMs: number): Sample | null {
    return this.buffer.sample(nowMs);
  }

  /** What to draw of the own body. */
  predicted(nowMs: number): PredictedBody | null {
    if (!this.clock) return null;
    return this.prediction.sample(this.clock.advance(nowMs) - this.lastInputTick, nowMs);
  }

  /** The tick the own body is drawn at: between the last two predicted ones. */
  predictedTick(nowMs: number): number {
    return (this.clock?.advance(nowMs) ?? 0) - 1;
  }

  private control(record: ControlRecord): void {
    const { listener, replica } = this.options;
    switch (record.type) {
      case 'welcome':
        this.welcome(record);
        break;
      case 'joined':
      case 'updated':
        this.roster.set(record.player, record);
        listener.roster(this.roster);
        break;
      case 'left':
        this.roster.delete(record.player);
        listener.roster(this.roster);
        break;
      case 'lobby':
        this.lastLobby = record;
        listener.lobby?.(record);
        break;
      case 'draining':
        this.drainTick = record.until;
        break;
      case 'results':
        this.lastResults = record;
        listener.results(record);
        break;
      case 'pong':
        this.clock?.onPong(record, this.now());
        break;
      case 'game':
        // Null: the module could not read it.
        if (record.event !== null) listener.game(record.event as Event, replica.snapshotTick());
        break;
      case 'closing':
      case 'migrate':
      case 'desync':
        break;
    }
  }

  private welcome(welcome: Welcome): void {
    const now = this.now();
    // Ids are never given twice, so what is drawn of the same match goes on.
    if (this.isSameSeat(welcome)) {
      this.buffer.resume();
      this.prediction.resume();
    } else {
      this.buffer.restart(welcome.tickRate);
      this.prediction.clear();
      this.clock = null;
    }
    if (this.clock?.agrees(welcome.tick, now) !== true) {
      this.clock = new TickClock(welcome.tickRate, welcome.tick, now);
    }
    this.seat = welcome;
    this.roster.clear();
    for (const entry of welcome.roster) this.roster.set(entry.player, entry);
    this.held.restart();
    this.lastResults = null;
    this.lastLobby = null;
    this.drainTick = null;
    this.lastInputTick = 0;
    this.inStep = false;
    this.measureAnew(now);
    this.options.listener.welcome(welcome);
    this.options.listener.roster(this.roster);
  }

  private isSameSeat(welcome: Welcome): boolean {
    const { seat, buffer } = this;
    return (
      seat?.matchId === welcome.matchId &&
      seat.player === welcome.player &&
      seat.mode === welcome.mode &&
      seat.tickRate === welcome.tickRate &&
      welcome.tick >= (buffer.latest?.tick ?? 0)
    );
  }

  /** Pings a few times in quick succession. */
  private measureAnew(nowMs: number): void {
    this.pings = 0;
    this.nextPingMs = nowMs;
  }

  private snapshotArrived(): void {
    const { replica } = this.options;
    const now = this.now();
    if (now - (this.snapshotMs ?? now) > STALL_MS) this.measureAnew(now);
    this.snapshotMs = now;
    this.inStep = true;
    this.buffer.push(replica.snapshot(), now);
    if (this.player !== null) this.prediction.reconciled(replica.predicted(), replica.correction());
    // Message events are not throttled in a hidden tab, timers and frames are.
    this.pump(now);
  }

  private pump(nowMs: number): void {
    const { clock } = this;
    if (!clock || this.connection.state.kind !== 'live') return;
    if (nowMs >= this.nextPingMs) {
      this.pings += 1;
      this.nextPingMs = nowMs + (this.pings < FAST_PINGS ? PING_FIRST_MS : PING_MS);
      this.connection.send(this.options.replica.ping(Math.floor(nowMs) >>> 0));
    }
    // The module predicts from a snapshot on; before the first there is nothing to step.
    if (this.player === null || !this.inStep) return;
    this.sendInputs(Math.floor(clock.advance(nowMs)));
  }

  private sendInputs(tick: number): void {
    const { game, replica, readInput, onStep, onInput } = this.options;
    if (tick <= this.lastInputTick || !readInput) return;
    const first = this.lastInputTick === 0 ? tick : Math.max(this.lastInputTick + 1, tick - CATCH_UP_TICKS_MAX);
    const fields = game.inputNumbers(readInput());
    for (let next = first; next <= tick; next += 1) {
      const message = replica.input(next, fields);
      onInput?.(message);
      if (this.held.mustSend(next, fields)) this.connection.send(message);
      const row = replica.predicted();
      this.prediction.stepped(row);
      onStep?.(next, row);
    }
    this.lastInputTick = tick;
  }
}

/** The fields of the body's row that say where it is. */
function placeFields(body: Body | null, { tables }: Replica): readonly number[] {
  if (!body) return [];
  const { fields } = tableLayout(tables, body.table, body.place);
  return body.place.map((name) => fields[name] ?? -1);
}
