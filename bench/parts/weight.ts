import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { atMost, measured } from '../lib/result.ts';
import type { Part } from './part.ts';

/** `import … from "./x.js"`, `export … from`, `import "./x.js"`; not `import(…)`. */
const STATIC_IMPORT = /\b(?:import|export)\s*(?:[\w$*{}\s,]*?\bfrom\s*)?["'](\.[^"']+\.js)["']/g;

/** Scripts and styles the browser loads before it can draw: named by the page, and imported statically by those. */
export function initialFiles(dist: string): readonly string[] {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const named = [...html.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="([^"]+\.(?:js|css))"/g)];
  const files = new Set(named.map(([, path]) => normalize(path ?? '')));
  for (const file of files) {
    if (!file.endsWith('.js')) continue;
    const source = readFileSync(join(dist, file), 'utf8');
    for (const [, path] of source.matchAll(STATIC_IMPORT)) files.add(normalize(join(file, '..', path ?? '')));
  }
  return [...files];
}

const KB = 1000;

/** What the page makes a visitor download before it is there. */
export const weight: Part = {
  name: 'page',
  limitSeconds: 10,
  owes: ['page/js-gzip-kb'],
  async run(lab, report) {
    const dist = lab.options.dist;
    const files = initialFiles(dist);
    const size = (ending: string): number =>
      files
        .filter((file) => file.endsWith(ending))
        .reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0) / KB;
    report(
      measured('page/js-gzip-kb', 'KB', [size('.js')], {
        target: atMost(260, 'value'),
        note: `${files.filter((file) => file.endsWith('.js')).length} files named or statically imported, gzip -9`,
      }),
      measured('page/css-gzip-kb', 'KB', [size('.css')]),
    );
  },
};
