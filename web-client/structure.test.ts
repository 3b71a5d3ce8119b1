// The page's structure: a package imports only what its package.json names, no files and no folders import each other in
// a circle, and an exported type has a name of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

type Graph = ReadonlyMap<string, readonly string[]>;

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** As the formatter writes them: at the start of a line, or as a call. */
const IMPORT = /^(?:import|export) (?:[^;']*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm;
const EXPORTED_TYPE = /^export (?:abstract )?(?:interface|type|class) (\w+)/gm;

const ROOT = import.meta.dirname;
const SHELL = '.';
const PACKAGES = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`);
const MANIFESTS = new Map([SHELL, ...PACKAGES].map((folder) => [folder, manifest(folder)]));
const SOURCES = new Map(
  [...MANIFESTS.keys()].flatMap((folder) => {
    const src = normalize(join(folder, 'src'));
    const files = readdirSync(join(ROOT, src), { recursive: true, encoding: 'utf8' });
    return files.filter((file) => file.endsWith('.ts')).map((file) => [join(src, file), folder] as const);
  }),
);

describe('structure', () => {
  it('imports only what a package.json names', () => {
    const undeclared = [...SOURCES].flatMap(([file, folder]) => {
      const { dependencies = {} } = MANIFESTS.get(folder) ?? {};
      const names = importsOf(file).filter((name) => !name.startsWith('.') && !isForTests(file, name));
      return names.filter((name) => !(packageName(name) in dependencies)).map((name) => `${file}: ${name}`);
    });
    expect(undeclared).toEqual([]);
  });

  it('leaves a package by its name only', () => {
    const strays = [...SOURCES].flatMap(([file, folder]) =>
      importsOf(file)
        .filter((name) => name.startsWith('.') && !join(dirname(file), name).startsWith(join(folder, 'src/')))
        .map((name) => `${file}: ${name}`),
    );
    expect(strays).toEqual([]);
  });

  it('has no circle of packages, folders or files', () => {
    // Nothing imports a test.
    const sources = [...SOURCES.keys()].filter((file) => !file.endsWith('.test.ts'));
    const files = new Map(sources.map((file) => [file, importsOf(file).flatMap((name) => resolve(file, name))]));
    expect(circle(files), 'files').toEqual([]);
    expect(circle(grouped(files, dirname)), 'folders').toEqual([]);
    expect(circle(grouped(files, (file) => SOURCES.get(file) ?? '')), 'packages').toEqual([]);
  });

  it('gives an exported type a name of its own', () => {
    const places = new Map<string, string[]>();
    for (const file of SOURCES.keys()) {
      for (const name of exportedTypes(file)) places.set(name, [...(places.get(name) ?? []), file]);
    }
    const shared = [...places].filter(([, files]) => files.length > 1);
    expect(shared.map(([name, files]) => `${name}: ${files.join(', ')}`)).toEqual([]);
  });

  it('would tell of a circle', () => {
    const graph = new Map(Object.entries({ a: ['b'], b: ['c', 'd'], c: [], d: ['e'], e: ['b'] }));
    expect(circle(graph)).toEqual(['b', 'd', 'e']);
    expect(circle(new Map(Object.entries({ a: ['b', 'c'], b: ['c'], c: [] })))).toEqual([]);
  });
});

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(IMPORT)].map(([, still, moving]) => still ?? moving ?? '');
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Tests may use what the page itself must not. */
function isForTests(file: string, name: string): boolean {
  return file.endsWith('.test.ts') && name === 'vitest';
}

/** Of `@tickwire/client/testing`, `@tickwire/client`. */
function packageName(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The source that an import leads to; none if it leads elsewhere. */
function resolve(file: string, name: string): string[] {
  if (name.startsWith('.')) {
    const path = join(dirname(file), name);
    return [`${path}.ts`, `${path}/index.ts`].filter((candidate) => SOURCES.has(candidate)).slice(0, 1);
  }
  const found = [...MANIFESTS].find(([, { name: known }]) => known === packageName(name));
  const target = found?.[1].exports?.[name.replace(found[1].name, '.')];
  return found && target !== undefined ? [join(found[0], target)] : [];
}

/** The names of interfaces, classes and types that a file exports. */
function exportedTypes(file: string): string[] {
  return [...textOf(file).matchAll(EXPORTED_TYPE)].map(([, name = '']) => name);
}

function grouped(files: Graph, groupOf: (file: string) => string): Graph {
  const groups = new Map<string, string[]>();
  for (const [file, targets] of files) {
    const group = groupOf(file);
    const others = targets.map(groupOf).filter((other) => other !== group);
    groups.set(group, [...new Set([...(groups.get(group) ?? []), ...others])]);
  }
  return groups;
}

/** The members of a circle, in order; empty if there is none. */
function circle(graph: Graph): string[] {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] => {
    if (path.includes(node)) return path.slice(path.indexOf(node));
    if (done.has(node)) return [];
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...path, node]);
      if (found.length > 0) return found;
    }
    done.add(node);
    return [];
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found.length > 0) return found;
  }
  return [];
}
