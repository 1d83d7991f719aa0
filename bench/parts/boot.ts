import { rmSync } from 'node:fs';
import { PageMachine, revisit } from '../lib/browser.ts';
import { PROMPT, shell } from '../lib/conversation.ts';
import type { Lab } from '../lib/lab.ts';
import { QemuMachine } from '../lib/qemu.ts';
import { alternate, atMost, type BenchResult, compared, measured, skipped } from '../lib/result.ts';
import type { Part } from './part.ts';
import { Unavailable } from '../lib/unavailable.ts';

/** Starts QEMU on a fresh copy of the root disk; seconds from its start to the prompt. */
async function bootQemu(lab: Lab, version: string, kernel?: string): Promise<number> {
  const disk = lab.hostRootDisk('boot-root.ext4');
  const start = performance.now();
  const machine = new QemuMachine(version, lab.qemuLinux(disk, [], kernel));
  try {
    await machine.expect(PROMPT, 120_000);
    return (performance.now() - start) / 1000;
  } finally {
    machine.stop();
    rmSync(disk, { force: true });
  }
}

/** From power-on to the prompt with one of the kernels, against QEMU. */
async function bootKernel(lab: Lab, name: string, kernel?: string): Promise<BenchResult> {
  const machine = await lab.machine();
  const ours = async (): Promise<number> => {
    await machine.stop();
    await lab.opfsRootDisk('boot-root.ext4');
    return machine.start(lab.ourLinux('boot-root.ext4', [], kernel), PROMPT);
  };
  const note = `${lab.linuxGuest(kernel).title}; power-on to the shell prompt, QEMU's start and OpenSBI included`;
  // The first start fetches what is not in OPFS yet.
  const first = await ours();
  let version: string;
  try {
    version = lab.requireQemu();
  } catch (error) {
    return measured(name, 's', [first], { note: `no ratio: ${String(error)}; ${note}` });
  }
  const pairs = await alternate(lab.options.runs, ours, () => bootQemu(lab, version, kernel));
  return compared(name, 's', pairs, version, { target: atMost(1.5), note });
}

/**
 * The next visit: the page opened again after it has kept a snapshot of its machine at rest, until the machine is on,
 * restored, and the terminal shows the prompt. Then the guest must answer.
 */
async function snapshot(lab: Lab): Promise<BenchResult> {
  const { browser } = await lab.visitor();
  try {
    const { page } = browser;
    const kept = await page.waitForFunction(
      () => localStorage.getItem('qcontext-playground.warm-start') !== null,
      undefined,
      { timeout: 60_000 },
    );
    await kept.dispose();
    const seconds: number[] = [];
    for (let run = 0; run < lab.options.runs; run++) {
      // As a person comes back: the page before is gone, its disk closed.
      await page.goto('about:blank');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      seconds.push(await revisit(browser));
    }
    await shell(new PageMachine(browser), 'true');
    return measured('boot/snapshot-s', 's', seconds, {
      target: atMost(1, 'value'),
      note: 'opening the page to the prompt on the screen of a machine restored from the snapshot the page has kept',
    });
  } finally {
    await browser.close();
  }
}

/** From power-on to the shell prompt: the same kernel, initramfs, command line and disk. */
export const boot: Part = {
  name: 'boot',
  limitSeconds: 240,
  owes: ['boot/vs-qemu', 'boot/snapshot-s', 'boot/first-visit-s'],
  async run(lab, report) {
    await lab.machine();
    report(
      measured('boot/first-visit-s', 's', [lab.firstVisitSeconds], {
        note: 'empty browser profile, images from this machine, opening the page to the prompt',
      }),
    );
    report(await bootKernel(lab, 'boot/vs-qemu'));
    report(await snapshot(lab).catch((error: unknown) => skipped('boot/snapshot-s', String(error))));
    const { title } = lab.linuxGuest();
    try {
      if (lab.linuxGuest('stock').title !== title)
        report(await bootKernel(lab, 'boot/stock-vs-qemu', 'stock'));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  },
};
