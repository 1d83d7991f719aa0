#!/usr/bin/env node
// @ts-check
/**
 * Boots the images in build/guest on qemu-system-riscv64, says how many instructions the way to the prompt takes,
 * runs the verifying fio job for a few seconds, powers off and checks the file system.
 *
 *   node guest/measure/boot.mjs [stock|tuned] [small|minbase]
 *
 * Needs qemu-system-riscv64 with plugins, gcc and e2fsck. Ends with 1 when something is not as it should be.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../lib/manifest.mjs';
import { run } from '../lib/run.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const IMAGES = path.join(HERE, '../../build/guest');
const PROMPT = 'root@qcontext:~# ';
const [kernelName = 'stock', diskName = 'small'] = process.argv.slice(2);

const manifest = await readManifest(IMAGES);
if (!manifest?.available) throw new Error('no images: npm run guest');
const kernel = manifest.kernels[kernelName];
const disk = manifest.disks[diskName];
if (kernel === undefined || disk === undefined)
  throw new Error(`no kernel ${kernelName} or no disk ${diskName}`);

/** @type {import('node:child_process').ChildProcess | undefined} */
let machine;
const dir = await mkdtemp(path.join(os.tmpdir(), 'guest-boot-'));
try {
  const plugin = path.join(dir, 'count.so');
  await run('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-o', plugin, path.join(HERE, 'count.c')]);
  const counter = path.join(dir, 'count');
  const copy = path.join(dir, 'disk');
  await run('cp', ['--sparse=always', path.join(IMAGES, disk.file), copy]);
  const count = async () => Number((await readFile(counter)).readBigUInt64LE()) / 1e6;

  const args = ['-machine', 'virt', '-m', '256', '-nographic', '-plugin', `${plugin},count=${counter}`];
  args.push('-kernel', path.join(IMAGES, kernel.image), '-append', `${kernel.append} TERM=dumb`);
  if (kernel.initrd !== undefined) args.push('-initrd', path.join(IMAGES, kernel.initrd));
  args.push('-drive', `file=${copy},format=raw,if=none,id=d0`, '-device', 'virtio-blk-device,drive=d0');
  const qemu = spawn('qemu-system-riscv64', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  machine = qemu;
  const ended = new Promise((resolve) => qemu.once('close', resolve));
  const overdue = setTimeout(() => qemu.kill(), 180_000);
  let output = '';
  /** @type {(() => void) | undefined} */
  let wake;
  qemu.stdout.on('data', (bytes) => {
    output += bytes;
    wake?.();
  });
  qemu.once('close', () => wake?.());

  /** Waits for the next prompt and returns what came before it. @returns {Promise<string>} */
  const prompt = async () => {
    while (!output.endsWith(PROMPT)) {
      if (qemu.exitCode !== null || qemu.killed) throw new Error(`no prompt:\n${output.slice(-2000)}`);
      await /** @type {Promise<void>} */ (new Promise((resolve) => (wake = resolve)));
    }
    const text = output;
    output = '';
    return text;
  };
  await prompt();
  console.log(`${kernel.title}: prompt after ${(await count()).toFixed(1)} million instructions`);
  if (disk.fio) {
    qemu.stdin.write('RUNTIME=5 fio verify.fio\n');
    const result = await prompt();
    const verdict = /err= *\d+/.exec(result)?.[0];
    console.log(`fio verify.fio: ${verdict ?? 'no result'}`);
    if (verdict !== 'err= 0') throw new Error(result);
  }
  qemu.stdin.write('poweroff\n');
  const status = await ended;
  clearTimeout(overdue);
  if (status !== 0) throw new Error(`qemu ended with ${status}`);
  await run('e2fsck', ['-fn', copy]);
  console.log('poweroff: the file system is clean');
} finally {
  machine?.kill();
  await rm(dir, { recursive: true, force: true });
}
