// Builds two pages: `index.html` for players and `admin/index.html` for operators. Nothing is inlined, because the
// server's content security policy allows only same-origin files. Files name each other by relative paths, so that the
// pages work below any path that a proxy gives them.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compressed } from './compress.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const server = process.env['TICKWIRE_URL'] ?? 'http://127.0.0.1:8080';
const adminServer = process.env['TICKWIRE_ADMIN_URL'] ?? 'http://127.0.0.1:8081';

export default defineConfig(({ command }) => {
  if (command === 'build' && !existsSync(here('src/generated/tickwire.wasm'))) {
    throw new Error('src/generated/tickwire.wasm is missing: run `cargo xtask wasm` at the repository root first.');
  }
  return {
    base: './',
    plugins: [compressed()],
    resolve: { alias: [{ find: /^pixi\.js$/, replacement: here('packages/arena/src/pixi.js') }] },
    build: {
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 700,
      rolldownOptions: { input: { player: here('index.html'), admin: here('admin/index.html') } },
    },
    server: {
      proxy: {
        '/api': server,
        '/stream': server,
        '/ws': { target: server, ws: true },
        '/admin/api': { target: adminServer, ws: true },
      },
    },
    test: { include: ['*.test.ts', '{src,packages/*/src}/**/*.test.ts'], environment: 'node' },
  };
});
