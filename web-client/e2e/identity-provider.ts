// A small identity provider: a page to sign in at, tokens signed with Ed25519, and a JWKS in a file for the server.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AUDIENCE = 'tickwire';

export class IdentityProvider {
  /** What it calls itself, and where it is. */
  readonly origin: string;
  readonly keysFile: string;
  /** Seconds for which a token is good. */
  life = 600;
  /** Who is signed in. */
  player = 'Ada';
  private readonly folder: string;
  private readonly site: HttpServer;
  private privateKey: KeyObject;
  private keyId = '';
  private issued = 0;

  private constructor(site: HttpServer) {
    this.site = site;
    this.origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'tickwire-idp-'));
    this.keysFile = join(this.folder, 'keys.json');
    this.privateKey = this.changeKey();
  }

  static async start(): Promise<IdentityProvider> {
    const site = createServer();
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const provider = new IdentityProvider(site);
    site.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', provider.origin);
      const back = url.searchParams.get('return_to') ?? '';
      // As a page does that asks for a password first.
      const link = `${back}#tickwire-token=${provider.token()}`;
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><link rel="icon" href="data:,"><a id="sign-in" href="${link}">Sign in as Ada</a>`);
    });
    return provider;
  }

  /** Settings of a server that goes by this provider. */
  get settings(): readonly string[] {
    return [
      'accounts.jwt.algorithm=EdDSA',
      `accounts.jwt.keys_file=${this.keysFile}`,
      `accounts.jwt.issuer=${this.origin}`,
      `accounts.jwt.audience=${AUDIENCE}`,
      'accounts.jwt.leeway_s=0',
      `accounts.sign_in_url=${this.origin}/login`,
    ];
  }

  /** Signs with another key from now on, and publishes that one alone. */
  changeKey(): KeyObject {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.keyId = `key-${Date.now()}`;
    this.privateKey = privateKey;
    const key = { ...publicKey.export({ format: 'jwk' }), kid: this.keyId, use: 'sig', alg: 'EdDSA' };
    const file = join(this.folder, 'new.json');
    writeFileSync(file, JSON.stringify({ keys: [key] }));
    renameSync(file, this.keysFile);
    return privateKey;
  }

  /** A token of who is signed in. */
  token(life = this.life): string {
    this.issued += 1;
    const now = Math.floor(Date.now() / 1_000);
    const { player } = this;
    const who = { iss: this.origin, aud: AUDIENCE, sub: player.toLowerCase(), name: player };
    const claims = { ...who, nbf: now, exp: now + life, jti: String(this.issued) };
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encoded({ alg: 'EdDSA', typ: 'JWT', kid: this.keyId })}.${encoded(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), this.privateKey).toString('base64url')}`;
  }

  /** How many tokens were asked for. */
  get count(): number {
    return this.issued;
  }

  async stop(): Promise<void> {
    this.site.closeAllConnections();
    await new Promise((resolve) => this.site.close(resolve));
    rmSync(this.folder, { recursive: true });
  }
}
