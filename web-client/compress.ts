// After a build: writes a brotli and a gzip version beside each file that is worth it. The server sends those to browsers
// that take them, so that nothing is compressed while players wait.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.wasm', '.webmanifest']);
/** A smaller file fits one packet anyway. */
const BYTES_MIN = 1_024;

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

export function compressed(): Plugin {
  let folder = '';
  return {
    name: 'tickwire-compressed',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && COMPRESSIBLE.has(extname(entry.name)));
      await Promise.all(files.map((file) => compress(join(file.parentPath, file.name))));
    },
  };
}

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < BYTES_MIN) return;
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
  const versions = [
    {
      suffix: '.br',
      made: brotli(bytes, { params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    },
    { suffix: '.gz', made: gzipped(bytes, { level: 9 }) },
  ];
  for (const { suffix, made } of versions) {
    const version = await made;
    if (version.length < bytes.length) await writeFile(path + suffix, version);
  }
}
