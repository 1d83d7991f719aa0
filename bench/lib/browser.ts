import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BrowserContext, chromium, type Page } from '@playwright/test';
import type { PreviewServer } from 'vite';
import '../../src/ui/app/playground-api.ts';
import { type Guest, PROMPT } from './conversation.ts';
import { isRenderer, type Process, processTree } from './processes.ts';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Debian's Chromium, as root in a container; the same words as in e2e/fixtures.ts. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const chromiumVersion = (): string =>
  spawnSync(EXECUTABLE, ['--version'], { encoding: 'utf8' }).stdout?.trim().split(' built')[0] ?? 'none';

/** Serves the built page as `npm start` does. */
export async function servePage(
  root: string,
  dist: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const { preview } = await import('vite');
  const server: PreviewServer = await preview({
    root,
    logLevel: 'error',
    build: { outDir: dist },
    preview: { port: 4190, strictPort: false },
  });
  return { url: server.resolvedUrls?.local[0] ?? '', close: () => server.close() };
}

/** A browser with a profile of its own, and the playground in its one tab. */
export class Browser {
  readonly profile: string;
  readonly page: Page;
  readonly url: string;
  readonly #context: BrowserContext;

  private constructor(profile: string, url: string, context: BrowserContext, page: Page) {
    this.profile = profile;
    this.url = url;
    this.#context = context;
    this.page = page;
  }

  /** Not incognito: an incognito OPFS is another, far slower one. */
  static async open(work: string, url: string): Promise<Browser> {
    mkdirSync(work, { recursive: true });
    const profile = mkdtempSync(join(work, 'profile-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: EXECUTABLE,
      headless: true,
      args: ARGS,
      viewport: { width: 1440, height: 900 },
    });
    const page = context.pages()[0] ?? (await context.newPage());
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    return new Browser(profile, url, context, page);
  }

  /** Everything the browser runs. */
  processes(): readonly Process[] {
    return processTree(`--user-data-dir=${this.profile}`);
  }

  /** Another tab. */
  newPage(): Promise<Page> {
    return this.#context.newPage();
  }

  async close(): Promise<void> {
    await this.#context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }

  /** Puts a host file into the OPFS of the page's origin. */
  async upload(name: string, file: string): Promise<void> {
    await this.page.evaluate(
      async ([target, packed]) => {
        const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
        const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
        const directory = await navigator.storage.getDirectory();
        const handle = await directory.getFileHandle(target, { create: true });
        await stream.pipeTo(await handle.createWritable());
      },
      [name, gzipSync(readFileSync(file), { level: 6 }).toString('base64')] as const,
    );
  }
}

/** What the machine's threads did for a while. */
export interface Profile {
  /** Million instructions per second of all harts. */
  readonly mips: number;
  /** Guest instructions per request of a virtio device. */
  readonly perRequest: number;
  /** Shares of the time in which contexts dispatched. */
  readonly busy: readonly { readonly id: string; readonly share: number }[];
}

export const profileInWords = ({ mips, perRequest, busy }: Profile): string =>
  [
    `the hart runs ${mips.toFixed(0)} MIPS, ${(perRequest / 1000).toFixed(1)} thousand instructions per request`,
    ...busy.map(({ id, share }) => `${id} is busy ${(share * 100).toFixed(0)} % of the time`),
  ].join(', ');

/** Our machine in the page, by its automation API. */
export class PageMachine implements Guest {
  readonly who = 'QContext Playground';
  readonly browser: Browser;

  constructor(browser: Browser) {
    this.browser = browser;
  }

  /** Powers on; resolves with the seconds from then to the match of `ready` in the output. */
  start(commandLine: readonly string[], ready: RegExp, timeoutMs = 120_000): Promise<number> {
    return this.browser.page.evaluate(
      async ([line, source, patience]) => {
        const { playground } = window;
        if (playground === undefined) throw new Error('the page has no automation API');
        await playground.stop();
        const start = performance.now();
        await playground.start(line);
        if (playground.board() === undefined)
          throw new Error(
            `the page refused the machine: ${document.querySelector('[role=alert]')?.textContent}`,
          );
        await playground.serial.expect(new RegExp(source), patience);
        return (performance.now() - start) / 1000;
      },
      [formatCommandLine(commandLine), ready.source, timeoutMs] as const,
    );
  }

  send(text: string): Promise<void> {
    return this.browser.page.evaluate((bytes) => window.playground?.serial.send(bytes), text);
  }

  expect(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    return this.browser.page.evaluate(
      ([source, patience]) => {
        const { playground } = window;
        if (playground === undefined) throw new Error('the page has no automation API');
        return playground.serial.expect(new RegExp(source), patience);
      },
      [pattern.source, timeoutMs] as const,
    );
  }

  /** The renderers of its browser. */
  pids(): readonly number[] {
    return this.browser
      .processes()
      .filter(isRenderer)
      .map(({ pid }) => pid);
  }

  qmp(execute: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.browser.page.evaluate(([command, given]) => window.playground?.qmp(command, given), [
      execute,
      args,
    ] as const);
  }

  /** Does some work and tells what the machine's threads did meanwhile, by its own counters. */
  async profile<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly profile: Profile }> {
    const look = () => this.browser.page.evaluate(() => window.playground?.board());
    const before = await look();
    const value = await work();
    const after = await look();
    if (before === undefined || after === undefined) throw new Error('no machine is on');
    const seconds = (after.timeNs - before.timeNs) / 1e9;
    const sum = <E>(all: readonly E[], of: (one: E) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    const instructions = (board: typeof after): number => sum(board.harts, (hart) => hart.instructions);
    const requests = (board: typeof after): number =>
      sum(board.devices, ({ queues }) => sum(queues, (queue) => queue.completions));
    const busy = after.contexts.map(({ id, busyNs }, i) => ({
      id,
      share: (busyNs - (before.contexts[i]?.busyNs ?? 0)) / 1e9 / seconds,
    }));
    const executed = instructions(after) - instructions(before);
    return {
      value,
      profile: {
        mips: executed / seconds / 1e6,
        perRequest: executed / (requests(after) - requests(before)),
        busy: busy.filter(({ share }) => share > 0.01),
      },
    };
  }

  stop(): Promise<void> {
    return this.browser.page.evaluate(() => window.playground?.stop());
  }
}

/** Opens the page and waits for the machine it starts by itself; resolves with the seconds to the prompt. */
export async function visit({ page, url }: Browser): Promise<number> {
  const start = performance.now();
  await page.goto(url);
  await page.waitForFunction(
    (prompt) => new RegExp(prompt).test(window.playground?.serial.text ?? ''),
    PROMPT.source,
    { timeout: 180_000, polling: 20 },
  );
  return (performance.now() - start) / 1000;
}

/** Opens the page where it has kept a snapshot; resolves with the seconds until its prompt is on the screen. */
export async function revisit({ page, url }: Browser): Promise<number> {
  const start = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForFunction(
    () => {
      const shown = document.querySelector('.xterm-rows')?.textContent ?? '';
      return (
        /root@qcontext:[^#]*#/.test(shown) &&
        /restored/.test(document.querySelector('[data-testid=origin]')?.textContent ?? '') &&
        window.playground?.board()?.runState === 'running'
      );
    },
    undefined,
    { timeout: 30_000, polling: 'raf' },
  );
  return (performance.now() - start) / 1000;
}

/** Words of a command line as the page's editor takes them. */
const formatCommandLine = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
