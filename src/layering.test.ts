import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The import table, executed. A room may import itself and what its row lists; a row `a/b` is a room inside
 * `a`, and the longest match decides. Exceptions stand under DEBT with a reason.
 */
const src = fileURLToPath(new URL('.', import.meta.url));

const BASE = ['engine/base', 'engine/host.ts'];
const LOOP = [...BASE, 'engine/trace', 'engine/qcontext'];
const ALLOWED: Record<string, readonly string[]> = {
  'engine/base': ['engine/base'],
  'engine/host.ts': ['engine/base'],
  'engine/vm.ts': ['engine/base'],
  'engine/trace': [...BASE, 'engine/trace'],
  'engine/qcontext': LOOP,
  'engine/qom': [...BASE, 'engine/trace', 'engine/vm.ts', 'engine/qom'],
  'engine/cpu': [...BASE, 'engine/trace', 'engine/cpu'],
  'engine/block': [...LOOP, 'engine/block'],
  'engine/chardev': [...LOOP, 'engine/chardev'],
  'engine/net': [...LOOP, 'engine/net'],
  'engine/virtio': [
    ...LOOP,
    'engine/virtio',
    'engine/block/block-backend.ts',
    'engine/chardev/chardev.ts',
    'engine/net/net-backend.ts',
  ],
  'engine/machine/platform': [...LOOP, 'engine/machine/platform', 'engine/chardev', 'engine/cpu/layout.ts'],
  'engine/machine': [
    ...LOOP,
    'engine/qom',
    'engine/cpu',
    'engine/block',
    'engine/chardev',
    'engine/net',
    'engine/virtio',
    'engine/machine',
    'engine/vm.ts',
    'engine/qmp',
  ],
  'engine/qmp': [...LOOP, 'engine/qom', 'engine/vm.ts', 'engine/qmp'],
  'engine/index.ts': ['engine'],
  'engine/command-line.ts': ['engine/qom'],
  'engine/workers': ['engine'],
  'ui/widgets': ['ui/widgets', 'ui/tokens.ts'],
  'ui/model': [
    'ui/model',
    'engine/index.ts',
    'engine/command-line.ts',
    'engine/trace/schema.ts',
    'engine/vm.ts',
  ],
  // The aggregator: it reads the rings itself, and its canvases are drawn where the data is.
  'ui/model/trace': [
    'ui/model',
    'ui/tokens.ts',
    'engine/trace',
    'engine/base/shared-memory.ts',
    'engine/vm.ts',
  ],
  'ui/views': [
    'ui/model',
    'ui/widgets',
    'ui/tokens.ts',
    'engine/vm.ts',
    'engine/index.ts',
    'engine/trace/schema.ts',
  ],
  'ui/app': [
    'ui',
    'engine/index.ts',
    'engine/vm.ts',
    'engine/workers/browser-supervisor.ts',
    'engine/workers/spare-threads.ts',
  ],
  'ui/testing': ['ui', 'engine/index.ts', 'engine/vm.ts', 'engine/trace/schema.ts'],
};

/** "file -> import" that break the table, each with why and until when. */
const DEBT: Record<string, string> = {};

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return name === 'assembly' ? [] : sources(path);
    return /\.tsx?$/.test(name) && !/\.test\.tsx?$|\.d\.ts$/.test(name) ? [path] : [];
  });
}

const within = (file: string, room: string): boolean => file === room || file.startsWith(`${room}/`);
const roomOf = (file: string): string | undefined =>
  Object.keys(ALLOWED)
    .filter((room) => within(file, room))
    .toSorted((a, b) => b.length - a.length)[0];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)|new URL\('(\.[^']+\.ts)'/g;

describe('import table', () => {
  const files = sources(src).map((path) => relative(src, path));

  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(40);
  });

  it.each(files)('%s', (file) => {
    const room = roomOf(file);
    const text = readFileSync(join(src, file), 'utf8');
    const broken: string[] = [];
    for (const match of text.matchAll(IMPORT)) {
      const spec = (match[1] ?? match[2] ?? match[3] ?? '').replace(/\?.*$/, '');
      const target = relative(src, resolve(src, dirname(file), spec));
      if (target.startsWith('..') || room === undefined) continue;
      const view = /^ui\/views\/[^/]+/.exec(file)?.[0];
      const fine =
        (ALLOWED[room] ?? []).some((row) => within(target, row)) ||
        (view !== undefined && within(target, view));
      if (!fine && DEBT[`${file} -> ${target}`] === undefined) broken.push(target);
    }
    expect(broken, `${file} (row ${room ?? 'none'}) imports what its row does not list`).toEqual([]);
  });

  it('has no paid debt left in the list', () => {
    for (const entry of Object.keys(DEBT)) {
      const [file] = entry.split(' -> ');
      expect(files).toContain(file);
    }
  });
});
