// The built module and the native recording it is compared with.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../../', import.meta.url);
const modulePath = new URL('web-client/src/generated/tickwire.wasm', root);

/** The arena's questions, by their place in its list. */
export const MAP = 0;
export const SHOT_FLIGHT = 1;

export function moduleBytes() {
  try {
    return readFileSync(modulePath);
  } catch {
    throw new Error('no built module: run `cargo xtask wasm` first');
  }
}

/** A fresh instance of the module, with the few helpers every test needs. */
export async function load() {
  const { instance } = await WebAssembly.instantiate(moduleBytes(), {});
  const wasm = instance.exports;
  return {
    wasm,
    fill: (bytes) => new Uint8Array(wasm.memory.buffer, wasm.inbox_ptr(), bytes.length).set(bytes),
    receive(bytes) {
      this.fill(bytes);
      return wasm.receive(bytes.length);
    },
    outbox: (length = wasm.outbox_len()) => Buffer.from(new Uint8Array(wasm.memory.buffer, wasm.outbox_ptr(), length)),
    /** Numbers that go with a call are 32 bits each, at the inbox's beginning. */
    fillNumbers(numbers) {
      this.fill(new Uint8Array(Int32Array.from(numbers).buffer));
      return numbers.length;
    },
    input(tick, ...fields) {
      return wasm.input(tick, this.fillNumbers(fields));
    },
    ask(question, ...numbers) {
      const pointer = wasm.ask(question, this.fillNumbers(numbers));
      const [length] = this.integers(pointer, 1);
      return this.integers(pointer + 4, length);
    },
    integers: (pointer, count) => Array.from(new Int32Array(wasm.memory.buffer, pointer, count)),
    schema() {
      return JSON.parse(this.outbox(wasm.schema_json()).toString('utf8'));
    },
    predicted(fieldCount) {
      const pointer = wasm.predicted_ptr();
      return pointer === 0 ? null : this.integers(pointer, fieldCount);
    },
    hash() {
      const half = (value) => (value >>> 0).toString(16).padStart(8, '0');
      return half(wasm.state_hash_hi()) + half(wasm.state_hash_lo());
    },
  };
}

let recorded;

/** What the same code did natively: `examples/record.rs`, run once. */
export function recording() {
  recorded ??= JSON.parse(
    execFileSync('cargo', ['run', '--quiet', '--package', 'tickwire-web', '--example', 'record'], {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  return recorded;
}

export const fromHex = (hex) => Buffer.from(hex, 'hex');

/** The protocol's FNV-1a over 32-bit words, 64 bits wide. */
export class Hash {
  #state = 0xcbf29ce484222325n;

  words(values) {
    for (const value of values) {
      this.#state = ((this.#state ^ BigInt(value >>> 0)) * 0x100000001b3n) & 0xffffffffffffffffn;
    }
  }

  hex() {
    const x = ((this.#state ^ (this.#state >> 32n)) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    return (x ^ (x >> 29n)).toString(16).padStart(16, '0');
  }
}
