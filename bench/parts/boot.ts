import { rmSync } from 'node:fs';
import { PROMPT, shell } from '../lib/conversation.ts';
import type { Lab } from '../lib/lab.ts';
import { QemuMachine } from '../lib/qemu.ts';
import { alternate, atMost, compared, measured, skipped } from '../lib/result.ts';
import type { Part } from './part.ts';

/** Starts QEMU on a fresh copy of the root disk; seconds from its start to the prompt. */
async function bootQemu(lab: Lab, version: string): Promise<number> {
  const disk = lab.hostRootDisk('boot-root.ext4');
  const start = performance.now();
  const machine = new QemuMachine(version, lab.qemuLinux(disk));
  try {
    await machine.expect(PROMPT, 120_000);
    return (performance.now() - start) / 1000;
  } finally {
    machine.stop();
    rmSync(disk, { force: true });
  }
}

/** From power-on to the shell prompt: the same kernel, initramfs, command line and disk. */
export const boot: Part = {
  name: 'boot',
  limitSeconds: 240,
  owes: ['boot/vs-qemu', 'boot/first-visit-s', 'boot/snapshot-s'],
  async run(lab, report) {
    const machine = await lab.machine();
    report(
      measured('boot/first-visit-s', 's', [lab.firstVisitSeconds], {
        note: 'empty browser profile, images from this machine, page to prompt',
      }),
    );
    lab.forgetMachine();
    const ours = async (): Promise<number> => {
      await machine.stop();
      await lab.opfsRootDisk('boot-root.ext4');
      return machine.start(lab.ourLinux('boot-root.ext4'), PROMPT);
    };
    const { runs } = lab.options;
    try {
      const version = lab.requireQemu();
      const pairs = await alternate(runs, ours, () => bootQemu(lab, version));
      report(compared('boot/vs-qemu', 's', pairs, version, { target: atMost(1.5) }));
    } catch (error) {
      const alone = [await ours()];
      report({ ...measured('boot/vs-qemu', 's', alone), skipped: `no ratio: ${String(error)}` });
    }
    await snapshot();

    async function snapshot(): Promise<void> {
      const saved = await machine.browser.page.evaluate(() => window.playground?.hmp('savevm bench'));
      if (saved !== '') {
        report(skipped('boot/snapshot-s', `savevm: ${(saved ?? '').trim()}`));
        return;
      }
      const seconds: number[] = [];
      for (let run = 0; run < runs; run++) {
        seconds.push(
          await machine.browser.page.evaluate(async () => {
            const start = performance.now();
            const said = await window.playground?.hmp('loadvm bench');
            if (said !== '') throw new Error(`loadvm: ${said}`);
            window.playground?.serial.send('\n');
            await window.playground?.serial.expect(/# $/);
            return (performance.now() - start) / 1000;
          }),
        );
      }
      await shell(machine, 'true');
      report(
        measured('boot/snapshot-s', 's', seconds, {
          target: atMost(1, 'value'),
          note: 'loadvm in the running page to the answer of the shell',
        }),
      );
    }
  },
};
