import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, chromium } from '@playwright/test';

/** Debian's Chromium, as root in a container, without the network it can't have here. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens a browser with a profile in `dir`; the same `dir` again finds the same OPFS. */
export const openBrowser = (dir: string, viewport = { width: 1440, height: 900 }): Promise<BrowserContext> =>
  chromium.launchPersistentContext(dir, {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: ARGS,
    viewport,
    baseURL: `http://localhost:${process.env['E2E_PORT']}/`,
  });

/** `test` with a fresh persistent profile per test. */
export const test = base.extend<{ context: BrowserContext; profile: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  profile: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'qcontext-profile-'));
    await use(dir);
    rmSync(dir, { recursive: true, force: true });
  },
  context: async ({ profile }, use) => {
    const context = await openBrowser(profile);
    await use(context);
    await context.close();
  },
  page: async ({ context }, use) => {
    await use(context.pages()[0] ?? (await context.newPage()));
  },
});
export { expect } from '@playwright/test';
