// The only file that knows the browser module's raw exports. The module has no imports: bytes go in at its inbox, bytes
// and JSON come out at its outbox, and tables are read straight from its memory.
//
// Invariant: a view into module memory never leaves this file, because the next call may move the memory.
import type { Body } from './game';
import { parseControls, type ControlRecord } from './control';
import { fromHex } from './hex';
import { tableLayout } from './layout';
import type { Snapshot, TableSchema } from './snapshot';

interface Exports {
  readonly memory: WebAssembly.Memory;
  inbox_ptr(): number;
  inbox_cap(): number;
  outbox_ptr(): number;
  outbox_len(): number;
  receive(length: number): number;
  reset(): void;
  snapshot_tick(): number;
  table_rows(table: number): number;
  table_ids_ptr(table: number): number;
  column_ptr(table: number, field: number): number;
  schema_json(): number;
  schema_hash_lo(): number;
  schema_hash_hi(): number;
  protocol_version(): number;
  hello_ticket(): number;
  hello_resume(): number;
  ping(clientTimeMs: number): number;
  leave(): number;
  rematch(): number;
  ready(ready: number): number;
  start_match(): number;
  bots(bots: number): number;
  input(tick: number, count: number): number;
  ask(question: number, count: number): number;
  predicted_ptr(): number;
  correction_ptr(): number;
}

/** What one WebSocket message held. */
export interface Received {
  /** A snapshot was applied: `snapshot()` returns it. */
  readonly snapshot: boolean;
  /** Everything that was not a snapshot, in order. */
  readonly controls: readonly ControlRecord[];
}

/** The bytes are no message of this protocol: the connection cannot go on. */
export class MalformedMessage extends Error {}

/** What the module was built for, as in `/api/info`. */
export interface Build {
  readonly protocol: number;
  readonly schema: string;
}

/** What the connection and the session need of the module; tests put a stand-in here. */
export interface Replica {
  readonly tables: readonly TableSchema[];
  readonly build: Build;
  reset(): void;
  receive(bytes: Uint8Array): Received;
  snapshot(): Snapshot;
  /** Tick of the newest applied snapshot. */
  snapshotTick(): number;
  helloTicket(ticketHex: string): Uint8Array;
  helloResume(matchIdHex: string, tokenHex: string): Uint8Array;
  ping(clientTimeMs: number): Uint8Array;
  leave(): Uint8Array;
  rematch(): Uint8Array;
  /** In a lobby: whether this player is ready. */
  ready(ready: boolean): Uint8Array;
  /** In a lobby, from its host: starts the match. */
  startMatch(): Uint8Array;
  /** In a lobby, from its host: whether bots fill the free seats. */
  bots(bots: boolean): Uint8Array;
  /** Encodes the input meant for `tick` and steps the prediction to it. What the fields mean is the game's. */
  input(tick: number, fields: readonly number[]): Uint8Array;
  /** The own body's row at the predicted tick, in the order of its table's fields; null while it has none. */
  predicted(): Int32Array | null;
  /** How far the last reconciliation moved the own body, for each number of its place: where it was shown minus where it is. */
  correction(): readonly number[];
  /** What the game's own code answers. The functions that ask are generated, beside the game's constants. */
  ask(question: number, ...numbers: readonly number[]): Int32Array;
}

/** The part of the module that answers a game's questions. */
export type Answers = Pick<Replica, 'ask'>;

/** Flags that `receive` answers with. */
const SNAPSHOT = 1;
const CONTROLS = 2;

/** Fetches and starts the module. `body` is what it predicts for the own player. */
export async function loadReplica(url: string, body: Body | null): Promise<Replica> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the game module answered ${response.status}`);
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer(), {});
  // The module is built from this repository; its exports are what this interface says.
  return new WasmReplica(instance.exports as unknown as Exports, body);
}

class WasmReplica implements Replica {
  readonly tables: readonly TableSchema[];
  readonly build: Build;
  private readonly wasm: Exports;
  private readonly bodyFieldCount: number;
  private readonly placeLength: number;
  private readonly utf8 = new TextDecoder();

  constructor(wasm: Exports, body: Body | null) {
    this.wasm = wasm;
    this.tables = JSON.parse(this.text(wasm.schema_json())) as TableSchema[];
    this.build = {
      protocol: wasm.protocol_version(),
      schema: hash(wasm.schema_hash_hi(), wasm.schema_hash_lo()),
    };
    const table = body && tableLayout(this.tables, body.table, body.place).table;
    this.bodyFieldCount = this.tables[table ?? -1]?.fields.length ?? 0;
    this.placeLength = body?.place.length ?? 0;
  }

  reset(): void {
    this.wasm.reset();
  }

  receive(bytes: Uint8Array): Received {
    if (bytes.length > this.wasm.inbox_cap()) throw new MalformedMessage(`a message of ${bytes.length} bytes`);
    this.fillInbox(bytes);
    const flags = this.wasm.receive(bytes.length);
    if (flags < 0) throw new MalformedMessage(`receive answered ${flags}`);
    return {
      snapshot: (flags & SNAPSHOT) !== 0,
      controls: (flags & CONTROLS) === 0 ? [] : parseControls(this.text(this.wasm.outbox_len())),
    };
  }

  snapshot(): Snapshot {
    const { buffer } = this.wasm.memory;
    return {
      tick: this.snapshotTick(),
      tables: this.tables.map((table, t) => {
        const rows = this.wasm.table_rows(t);
        return {
          ids: new Uint32Array(buffer, this.wasm.table_ids_ptr(t), rows).slice(),
          columns: table.fields.map((_, f) => new Int32Array(buffer, this.wasm.column_ptr(t, f), rows).slice()),
        };
      }),
    };
  }

  snapshotTick(): number {
    return this.wasm.snapshot_tick() >>> 0;
  }

  helloTicket(ticketHex: string): Uint8Array {
    this.fillInbox(fromHex(ticketHex));
    return this.message(this.wasm.hello_ticket());
  }

  helloResume(matchIdHex: string, tokenHex: string): Uint8Array {
    this.fillInbox(fromHex(matchIdHex + tokenHex));
    return this.message(this.wasm.hello_resume());
  }

  ping(clientTimeMs: number): Uint8Array {
    return this.message(this.wasm.ping(clientTimeMs));
  }

  leave(): Uint8Array {
    return this.message(this.wasm.leave());
  }

  rematch(): Uint8Array {
    return this.message(this.wasm.rematch());
  }

  ready(ready: boolean): Uint8Array {
    return this.message(this.wasm.ready(ready ? 1 : 0));
  }

  startMatch(): Uint8Array {
    return this.message(this.wasm.start_match());
  }

  bots(bots: boolean): Uint8Array {
    return this.message(this.wasm.bots(bots ? 1 : 0));
  }

  input(tick: number, fields: readonly number[]): Uint8Array {
    return this.message(this.wasm.input(tick, this.fillNumbers(fields)));
  }

  predicted(): Int32Array | null {
    const pointer = this.wasm.predicted_ptr();
    if (pointer === 0) return null;
    return new Int32Array(this.wasm.memory.buffer, pointer, this.bodyFieldCount).slice();
  }

  correction(): readonly number[] {
    return Array.from(new Int32Array(this.wasm.memory.buffer, this.wasm.correction_ptr(), this.placeLength));
  }

  ask(question: number, ...numbers: readonly number[]): Int32Array {
    const pointer = this.wasm.ask(question, this.fillNumbers(numbers));
    const { buffer } = this.wasm.memory;
    const [length] = new Int32Array(buffer, pointer, 1);
    return new Int32Array(buffer, pointer + Int32Array.BYTES_PER_ELEMENT, length).slice();
  }

  private fillInbox(bytes: Uint8Array): void {
    new Uint8Array(this.wasm.memory.buffer, this.wasm.inbox_ptr(), bytes.length).set(bytes);
  }

  /** 32 bits each, as the numbers of a call. Answers how many there are. */
  private fillNumbers(numbers: readonly number[]): number {
    this.fillInbox(new Uint8Array(Int32Array.from(numbers).buffer));
    return numbers.length;
  }

  /** A copy, because sending may happen after the outbox is used again. */
  private message(length: number): Uint8Array {
    return new Uint8Array(this.wasm.memory.buffer, this.wasm.outbox_ptr(), length).slice();
  }

  private text(length: number): string {
    return this.utf8.decode(new Uint8Array(this.wasm.memory.buffer, this.wasm.outbox_ptr(), length));
  }
}

/** 64 bits in 16 hex digits. */
function hash(high: number, low: number): string {
  const half = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return half(high) + half(low);
}
