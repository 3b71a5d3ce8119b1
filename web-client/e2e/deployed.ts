// The reverse proxies of deploy/, each started from its own file: what is replaced there are ports, the server's address, the name,
// the paths of the certificate, and how many connections there may be.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server as Listener, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Browsers find every name below `localhost` on this machine. */
export const HOST = 'play.localhost';

export type Kind = 'nginx' | 'caddy' | 'haproxy' | 'haproxy-tcp' | 'apache';

/** Ports for a proxy, and the folder that holds its certificate and what it writes. */
interface Place {
  readonly folder: string;
  readonly http: number;
  readonly https: number;
  readonly upstream: number;
}

/** Replaces each text that must be there. */
type Edit = readonly (readonly [from: string, to: string])[];

interface Recipe {
  readonly file: string;
  readonly edit: (place: Place) => Edit;
  /** Writes what the file is included by, if anything, and says how the proxy is started. */
  readonly command: (place: Place, file: string) => readonly string[];
  /** Spoils the file, so that the server is told another host than the browser's. */
  readonly wrongHost: Edit;
  /** Says whom it is for in `Forwarded` and in no other header, for `proxies.header = "forwarded"`. */
  readonly forwarded: Edit;
}

const isRoot = process.getuid?.() === 0;

const haproxy = ({ http, https }: Place): Edit => [
  ['bind :80', `bind 127.0.0.1:${String(http)}`],
  ['bind :443', `bind 127.0.0.1:${String(https)}`],
  // It takes two descriptors for each, whether they come or not.
  ['maxconn 10000', 'maxconn 200'],
];

const RECIPES: Record<Kind, Recipe> = {
  nginx: {
    file: 'nginx/tickwire.conf',
    edit: ({ http, https }) => [
      ['listen 80;', `listen 127.0.0.1:${String(http)};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${String(https)} ssl;`],
    ],
    command: ({ folder }, file) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      writeFileSync(
        join(folder, 'nginx.conf'),
        [
          // Else the workers of one started by root would not reach the folder.
          isRoot ? 'user root;' : '',
          `daemon off; pid ${folder}/pid; error_log stderr warn; events { worker_connections 256; }`,
          `http { access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}`,
          `include ${file}; }`,
        ].join('\n'),
      );
      return ['nginx', '-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
    },
    wrongHost: [['proxy_set_header Host $http_host;', '']],
    forwarded: [
      ['proxy_set_header X-Forwarded-For $remote_addr;', 'proxy_set_header X-Forwarded-For "";'],
      ['proxy_set_header Forwarded "";', 'proxy_set_header Forwarded "for=\\"$remote_addr\\";proto=$scheme";'],
    ],
  },
  caddy: {
    file: 'caddy/Caddyfile',
    edit: ({ http, https }) => [
      ['http_port 80', `admin off\n\tdefault_bind 127.0.0.1\n\thttp_port ${String(http)}`],
      ['https_port 443', `https_port ${String(https)}`],
    ],
    command: (_, file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
    wrongHost: [['header_up -Forwarded', 'header_up Host tickwire']],
    forwarded: [
      ['header_up -Forwarded', 'header_up Forwarded "for={http.request.remote.host}"\n\t\theader_up -X-Forwarded-For'],
    ],
  },
  haproxy: {
    file: 'haproxy/haproxy.cfg',
    edit: haproxy,
    command: (_, file) => ['haproxy', '-db', '-f', file],
    wrongHost: [['http-request del-header Forwarded', 'http-request set-header Host tickwire']],
    forwarded: [
      ['http-request del-header Forwarded', 'http-request set-header Forwarded for=%[src];proto=https'],
      ['http-request set-header X-Forwarded-For %[src]', 'http-request del-header X-Forwarded-For'],
    ],
  },
  'haproxy-tcp': {
    file: 'haproxy/haproxy-tcp.cfg',
    edit: haproxy,
    command: (_, file) => ['haproxy', '-db', '-f', file],
    wrongHost: [],
    forwarded: [],
  },
  apache: {
    file: 'apache/tickwire.conf',
    edit: ({ http, https }) => [
      ['*:80', `127.0.0.1:${String(http)}`],
      ['*:443', `127.0.0.1:${String(https)}`],
    ],
    command: ({ folder, http, https }, file) => {
      const modules = ['mpm_event', 'authz_core', 'alias', 'env', 'headers', 'proxy', 'proxy_http', 'ssl'];
      writeFileSync(
        join(folder, 'apache.conf'),
        [
          ...modules.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`),
          isRoot ? 'User www-data\nGroup www-data' : '',
          `ServerRoot ${folder}\nPidFile ${folder}/pid\nMutex file:${folder}\nDefaultRuntimeDir ${folder}`,
          `ServerName ${HOST}\nErrorLog ${folder}/log\nLogLevel warn`,
          `Listen 127.0.0.1:${String(http)}\nListen 127.0.0.1:${String(https)}`,
          `Include ${file}`,
        ].join('\n'),
      );
      return ['apache2', '-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')];
    },
    wrongHost: [['ProxyPreserveHost On', 'ProxyPreserveHost Off']],
    forwarded: [
      ['RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"', 'RequestHeader unset X-Forwarded-For'],
      ['RequestHeader unset Forwarded', 'RequestHeader set Forwarded "expr=for=%{REMOTE_ADDR};proto=https"'],
    ],
  },
};

/** Where Debian has them. */
const APACHE_MODULES = '/usr/lib/apache2/modules';
const START_TIMEOUT_MS = 15_000;

export class Deployed {
  readonly http: number;
  readonly https: number;
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(child: ChildProcess, place: Place) {
    this.child = child;
    this.folder = place.folder;
    this.http = place.http;
    this.https = place.https;
  }

  /** Starts a proxy in front of the server on port `upstream`. */
  static async start(
    kind: Kind,
    upstream: number,
    options: { change?: 'wrongHost' | 'forwarded' } = {},
  ): Promise<Deployed> {
    const recipe = RECIPES[kind];
    const [http, https] = await freePorts();
    const place: Place = { folder: mkdtempSync(join(tmpdir(), `tickwire-${kind}-`)), http, https, upstream };
    makeCertificate(place.folder);
    const original = readFileSync(fileURLToPath(new URL(`../../deploy/${recipe.file}`, import.meta.url)), 'utf8');
    const edits = [
      ...common(place, original),
      ...recipe.edit(place),
      ...(options.change ? recipe[options.change] : []),
    ];
    const file = join(place.folder, 'tickwire.conf');
    writeFileSync(file, edits.reduce(replace, original));
    const [program = '', ...words] = recipe.command(place, file);
    mkdirSync(join(place.folder, 'home'));
    const log = openSync(join(place.folder, 'log'), 'a');
    const child = spawn(program, words, {
      stdio: ['ignore', 'ignore', log],
      cwd: place.folder,
      env: {
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
        HOME: join(place.folder, 'home'),
        XDG_DATA_HOME: join(place.folder, 'home'),
        XDG_CONFIG_HOME: join(place.folder, 'home'),
      },
    });
    closeSync(log);
    const deployed = new Deployed(child, place);
    try {
      await Promise.race([answers(https), ended(child)]);
    } catch (error) {
      const said = readFileSync(join(place.folder, 'log'), 'utf8');
      await deployed.stop();
      throw new Error(`${kind} did not start:\n${said}`, { cause: error });
    }
    return deployed;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = new Promise((resolve) => this.child.once('exit', resolve));
      // All four end at once, and their workers with them.
      this.child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What stands for something else in every file. */
function common({ folder, upstream }: Place, text: string): Edit {
  const replaced = [
    ['play.example.com', HOST],
    ['127.0.0.1:8080', `127.0.0.1:${String(upstream)}`],
    ['/etc/tickwire/tls/', `${folder}/`],
  ] as const;
  // A proxy that decrypts nothing knows neither a name nor a certificate.
  return replaced.filter(([from]) => text.includes(from));
}

function replace(text: string, [from, to]: readonly [string, string]): string {
  if (!text.includes(from)) throw new Error(`there is no \`${from}\` in the file`);
  return text.replaceAll(from, to);
}

/** A certificate that nobody vouches for, and its key: `fullchain.pem`, `privkey.pem`, and both in `haproxy.pem`. */
export function makeCertificate(folder: string): void {
  const [key, certificate] = [join(folder, 'privkey.pem'), join(folder, 'fullchain.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${HOST} -addext subjectAltName=DNS:${HOST}`;
  execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  writeFileSync(join(folder, 'haproxy.pem'), readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
}

async function freePorts(): Promise<[number, number]> {
  const listeners = await Promise.all([listen(createServer()), listen(createServer())]);
  const [first, second] = listeners.map(portOf);
  await Promise.all(listeners.map(close));
  return [first ?? 0, second ?? 0];
}

function listen(listener: Listener): Promise<Listener> {
  return new Promise((resolve) => {
    listener.listen(0, '127.0.0.1', () => {
      resolve(listener);
    });
  });
}

function portOf(listener: Listener): number {
  return (listener.address() as AddressInfo).port;
}

function close(listener: Listener): Promise<unknown> {
  return new Promise((resolve) => listener.close(resolve));
}

/** Waits until somebody listens on `port`. */
async function answers(port: number): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < end) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('nobody listens');
}

function ended(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`it ended with ${String(code)}`));
    });
  });
}

/** The way of a client to a port of this machine, from an address of its own, which breaks when it is told to. */
export class Way {
  /** Connections so far. */
  opened = 0;
  private readonly listener: Listener;
  private readonly sockets = new Set<Socket>();

  private constructor(listener: Listener) {
    this.listener = listener;
  }

  get port(): number {
    return portOf(this.listener);
  }

  /** As a client at `from` would go. */
  static async to(port: number, from: string): Promise<Way> {
    const way = new Way(createServer());
    way.listener.on('connection', (near) => {
      const far = connect({ port, host: '127.0.0.1', localAddress: from });
      way.opened += 1;
      for (const socket of [near, far]) {
        way.sockets.add(socket);
        socket.setNoDelay();
        socket.on('error', () => undefined);
        socket.on('close', () => {
          way.sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    await listen(way.listener);
    return way;
  }

  /** Every connection breaks, as when a phone changes networks. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await close(this.listener);
  }
}
