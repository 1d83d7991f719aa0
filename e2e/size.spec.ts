import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures.ts';

/** What the first paint may cost (KB of gzipped script): the entry and everything it imports statically. */
const BUDGET_KB = 260;

test('the script of the first paint stays within its budget', async ({ request }) => {
  const html = await (await request.get(`http://localhost:${process.env['E2E_PORT']}/`)).text();
  const scripts = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1] ?? '');
  expect(scripts.length).toBeGreaterThan(0);
  let bytes = 0;
  for (const script of scripts) {
    const body = await (
      await request.get(new URL(script, `http://localhost:${process.env['E2E_PORT']}/`).href)
    ).body();
    bytes += gzipSync(body).length;
  }
  expect(bytes / 1024).toBeLessThan(BUDGET_KB);
});
