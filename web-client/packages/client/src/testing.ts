// Stand-ins for tests: a socket driven by hand and a replica that understands JSON instead of the wire.
import type { GameBindings } from './replica/game';
import type { TableFields } from './replica/layout';
import type { ControlRecord, Welcome } from './replica/control';
import type { SocketLike } from './net/connection';
import { MalformedMessage, type Received, type Replica } from './replica/wasm';

export interface FakeMessage {
  readonly controls?: readonly ControlRecord[];
  readonly snapshot?: boolean;
  /** The snapshot's tick; 1 unless it is said. */
  readonly tick?: number;
}

export class FakeSocket implements SocketLike {
  binaryType: BinaryType = 'blob';
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  readonly sent: string[] = [];
  closed = false;

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  /** The network drops it. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  receive(message: FakeMessage | 'garbage'): void {
    this.onmessage?.({ data: new TextEncoder().encode(JSON.stringify(message)).buffer });
  }

  send(data: Uint8Array): void {
    this.sent.push(new TextDecoder().decode(data));
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export class FakeReplica implements Replica {
  readonly tables = [{ table: 'body', fields: ['place', 'height'] }];
  readonly build = { protocol: 3, schema: '0123456789abcdef' };
  resets = 0;
  /** The own body, as the module would predict it. */
  body: Int32Array | null = null;
  private tick = 1;

  reset(): void {
    this.resets += 1;
    this.body = null;
  }

  receive(bytes: Uint8Array): Received {
    const message = JSON.parse(new TextDecoder().decode(bytes)) as FakeMessage | 'garbage';
    if (message === 'garbage') throw new MalformedMessage('garbage');
    this.tick = message.tick ?? this.tick;
    return { snapshot: message.snapshot ?? false, controls: message.controls ?? [] };
  }

  snapshot = (): { tick: number; tables: [] } => ({ tick: this.tick, tables: [] });
  snapshotTick = (): number => this.tick;
  helloTicket = (ticket: string): Uint8Array => text(`ticket ${ticket}`);
  helloResume = (matchId: string, token: string): Uint8Array => text(`resume ${matchId} ${token}`);
  ping = (): Uint8Array => text('ping');
  leave = (): Uint8Array => text('leave');
  rematch = (): Uint8Array => text('rematch');
  ready = (ready: boolean): Uint8Array => text(`ready ${String(ready)}`);
  startMatch = (): Uint8Array => text('start');
  bots = (bots: boolean): Uint8Array => text(`bots ${String(bots)}`);
  input = (tick: number): Uint8Array => text(`input ${tick}`);
  predicted = (): Int32Array | null => this.body;
  correction = (): readonly number[] => [0, 0];
  ask: Replica['ask'] = () => new Int32Array();
}

export function welcome(resume: string, changes: Partial<Welcome> = {}): Welcome {
  const plain = { type: 'welcome', matchId: 'm1', player: 3, mode: 0, tickRate: 30, tick: 100, roster: [] } as const;
  return { ...plain, resume, ...changes };
}

/** A game of one body, whose inputs are the numbers that the module takes. */
export const FAKE_GAME: GameBindings<TableFields, readonly number[], unknown> = {
  name: 'fake',
  tables: {},
  body: { table: 'body', place: ['place', 'height'] },
  inputNumbers: (numbers) => numbers,
};
