import type { Browser } from '../lib/browser.ts';
import { delay, type Lab } from '../lib/lab.ts';
import { cpuSeconds, isRenderer, mappings, presentBytes, threadSeconds } from '../lib/processes.ts';
import { atMost, measured } from '../lib/result.ts';
import type { Part } from './part.ts';

/**
 * By then the guest has done what it does once after its boot, the page has kept its snapshot for the next visit, and
 * Chromium has collected the garbage of all its processes, as it does half a minute after its start with any page or none.
 */
const SETTLE_MS = 40_000;
const WATCH_MS = 15_000;
const MIB = 1024 * 1024;

/** CPU time of the whole browser, in percent of a core, and which of its threads used most of it. */
async function idlePercent(browser: Browser): Promise<{ readonly percent: number; readonly most: string }> {
  const before = cpuSeconds(browser.processes());
  const threadsBefore = threadSeconds(browser.processes());
  const start = performance.now();
  await delay(WATCH_MS);
  const percentOf = (seconds: number): number => (seconds / ((performance.now() - start) / 1000)) * 100;
  const percent = percentOf(cpuSeconds(browser.processes()) - before);
  const most = [...threadSeconds(browser.processes())]
    .map(([thread, seconds]) => ({ thread, share: percentOf(seconds - (threadsBefore.get(thread) ?? 0)) }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, 5)
    .map(({ thread, share }) => `${thread.replace(/ \d+\/\d+$/, '')} ${share.toFixed(2)}`)
    .join(', ');
  return { percent, most };
}

/** A machine that waits at its prompt: what it costs, and what it holds. As a visitor has it, in a fresh profile. */
export const idle: Part = {
  name: 'idle',
  limitSeconds: 180,
  owes: ['idle/cpu-percent', 'page/memory-mb'],
  async run(lab: Lab, report) {
    const { browser } = await lab.visitor();
    try {
      await delay(SETTLE_MS);
      const on = await idlePercent(browser);
      const memory = rendererMemory(browser);
      await browser.page.evaluate(() => window.playground?.stop());
      // A minute after its start Chromium takes stock of the memory of its processes: not of the machine's making either.
      await delay(12_000);
      const off = await idlePercent(browser);
      await browser.page.goto('about:blank');
      await delay(5000);
      const blank = await idlePercent(browser);
      report(
        measured('idle/cpu-percent', '%', [on.percent], {
          target: atMost(2, 'value'),
          note:
            `all processes of the browser over ${WATCH_MS / 1000} s, ${SETTLE_MS / 1000} s after the prompt (${on.most}); ` +
            `${off.percent.toFixed(2)} % with the power off, ${blank.percent.toFixed(2)} % with a blank page instead`,
        }),
        measured('page/memory-mb', 'MB', [memory.beyond / 1e6], {
          note:
            `PSS of the renderer beyond guest RAM; with what the guest has touched of its ${GUEST_RAM / MIB} MiB it is ` +
            `${(memory.total / 1e6).toFixed(0)} MB`,
        }),
      );
    } finally {
      await browser.close();
    }
  },
};

/** The default machine's `-m 256`. */
const GUEST_RAM = 256 * MIB;

/**
 * PSS of the page's renderer, and the same without guest RAM. The machine has one shared memory, a mapping of its own:
 * our tables first, guest RAM last.
 */
function rendererMemory(browser: Browser): { readonly total: number; readonly beyond: number } {
  const all = browser
    .processes()
    .filter(isRenderer)
    .map(({ pid }) => {
      const pieces = mappings(pid);
      return { pid, pieces, total: pieces.reduce((sum, { pss }) => sum + pss, 0) };
    });
  const [page] = all.toSorted((a, b) => b.total - a.total);
  const [memory] = (page?.pieces ?? [])
    .filter(({ size }) => size >= GUEST_RAM)
    .toSorted((a, b) => b.pss - a.pss);
  if (page === undefined || memory === undefined) throw new Error('found no renderer with a guest in it');
  const tables = presentBytes(page.pid, memory.start, memory.size - GUEST_RAM);
  return { total: page.total, beyond: page.total - memory.pss + tables };
}
