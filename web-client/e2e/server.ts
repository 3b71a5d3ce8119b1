// Starts the real server for a test and reads its addresses from what it prints.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ADMIN_TOKEN = 'e2e-token-of-more-than-16-characters';
const START_TIMEOUT_MS = 15_000;

export interface ServerOptions {
  /** 0 for any free one. */
  readonly port?: number;
  readonly matchSeconds?: number;
  /** How long matches may go on after SIGTERM; 0 unless it is said. */
  readonly drainSeconds?: number;
  /** The folder that its matches are kept in; none unless it is said. */
  readonly stateDir?: string;
  /** Whether a supervisor starts it again when it dies. */
  readonly supervised?: boolean;
  /** Further settings, as in `matches.bots_fill=0`. */
  readonly set?: readonly string[];
}

export class Server {
  /** The players' page. */
  readonly playUrl: string;
  /** The admin page, with its token. */
  readonly adminUrl: string;
  /** The SHA-256 of a certificate that it made; empty if it made none. */
  readonly fingerprint: string;
  /** The lines of its log so far, without colours. */
  readonly log: readonly string[];
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(child: ChildProcess, folder: string, log: readonly string[], lines: Lines) {
    this.child = child;
    this.log = log;
    this.folder = folder;
    this.playUrl = lines.play;
    this.adminUrl = lines.admin;
    this.fingerprint = lines.tls;
  }

  get port(): number {
    return Number(new URL(this.playUrl).port);
  }

  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'tickwire-e2e-'));
    const tokenFile = join(folder, 'admin-token');
    writeFileSync(tokenFile, ADMIN_TOKEN, { mode: 0o600 });
    // How busy the machine of the tests is decides nothing.
    const always = ['admin.port=0', 'ops.port=0', 'headroom.busy_percent=0', 'headroom.late_percent=0'];
    const settings = [...always, ...(options.set ?? [])].flatMap((setting) => ['--set', setting]);
    const child = spawn(
      binary(),
      [
        ...[
          '--port',
          String(options.port ?? 0),
          '--web-dir',
          process.env['PAGE_DIR'] ?? here('../dist'),
          '--admin-token-file',
          tokenFile,
        ],
        ...(options.stateDir === undefined ? ['--no-journal'] : ['--state-dir', options.stateDir]),
        ...(options.supervised === true ? ['--supervise'] : []),
        ...['--match-seconds', String(options.matchSeconds ?? 300)],
        ...['--drain-seconds', String(options.drainSeconds ?? 0)],
        ...settings,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const log = logOf(child);
    try {
      return new Server(child, folder, log, await addresses(child));
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Asks it to end, as an operator does; it goes on while its matches may. */
  drain(): void {
    this.child.kill('SIGTERM');
  }

  /** Kills the newest server that a supervisor says it has started. */
  killSupervised(): void {
    const started = this.log.flatMap((line) => /server process started.*\bpid=(\d+)/.exec(line)?.[1] ?? []);
    process.kill(Number(started.at(-1)), 'SIGKILL');
  }

  /** Ends it as a crash would, or as an operator would. */
  async stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill(signal);
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What it says on standard error, which is shown as well. */
function logOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      // eslint-disable-next-line no-control-regex -- colours
      lines.push(line.replaceAll(/\u001b\[[0-9;]*m/g, ''));
      console.error(line);
    });
  }
  return lines;
}

function binary(): string {
  const places = [
    process.env['SERVER_BIN'],
    here('../../target/debug/tickwire'),
    here('../../target/release/tickwire'),
  ];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) throw new Error('no server binary: build it with `cargo build -p tickwire-server`');
  return found;
}

/** What it prints when it is ready. */
interface Lines {
  readonly play: string;
  readonly admin: string;
  readonly tls: string;
}

/** Waits for a line per listener, as in `tickwire: play   http://127.0.0.1:8080/`. */
function addresses(child: ChildProcess): Promise<Lines> {
  return new Promise((resolve, reject) => {
    const { stdout } = child;
    if (!stdout) {
      reject(new Error('the server has no stdout'));
      return;
    }
    const timer = setTimeout(() => {
      reject(new Error('the server did not say its addresses in time'));
    }, START_TIMEOUT_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${String(code)} before it was ready`));
    });
    const found = new Map<string, string>();
    createInterface({ input: stdout }).on('line', (line) => {
      const match = /^tickwire: (play|tls|admin)\s+(?:SHA-256 )?(\S+)/.exec(line);
      if (match?.[1] !== undefined && match[2] !== undefined) found.set(match[1], match[2]);
      const [play, admin] = [found.get('play'), found.get('admin')];
      if (play === undefined || admin === undefined) return;
      clearTimeout(timer);
      resolve({ play, admin, tls: found.get('tls') ?? '' });
    });
  });
}
