import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guestDir, startMachine, type TestMachine } from './machine.ts';

interface Manifest {
  readonly available: boolean;
  readonly kernels: Readonly<Record<string, { image: string; initrd?: string; append: string }>>;
}
const manifest = existsSync(join(guestDir, 'manifest.json'))
  ? (JSON.parse(readFileSync(join(guestDir, 'manifest.json'), 'utf8')) as Manifest)
  : undefined;

/** The stock kernel, if the guest was built. */
export const stock = manifest?.available === true ? manifest.kernels['stock'] : undefined;

export const PROMPT = /root@qcontext:[^#]*# $/;

/** A fresh copy of the root disk in `folder`. */
export function freshDisk(folder: string): string {
  const disk = join(folder, 'disk.img');
  copyFileSync(join(guestDir, 'rootfs.ext4'), disk);
  return disk;
}

/** Starts the stock kernel on `disk`; in context ctx0 unless `more` says so. Does not wait for the prompt. */
export function startLinux(disk: string, harts: number, more: readonly string[] = []): Promise<TestMachine> {
  if (stock === undefined) throw new Error('no Linux guest: npm run guest');
  const line = [
    `-m 256 -smp ${harts} -object glib-qcontext,id=ctx0,threaded=yes -object glib-qcontext,id=ctx1,threaded=yes`,
    `-device virtio-blk,drive=drive0,context=ctx0,id=disk0,num-queues=${harts}`,
  ];
  const initrd = stock.initrd === undefined ? [] : ['-initrd', join(guestDir, stock.initrd)];
  const drive = ['-drive', `file=${disk},if=none,id=drive0,format=raw,cache=none,aio=native`];
  const kernel = ['-kernel', join(guestDir, stock.image), '-append', stock.append];
  return startMachine([...line.join(' ').split(' '), ...kernel, ...initrd, ...drive, ...more]);
}

/** Where the shell's line editor ends and a command's output begins. */
const BEHIND_ECHO = '\u001b[?2004l\r';

/** Runs a shell command in the guest; resolves with its output. */
export async function shell(machine: TestMachine, command: string, timeoutMs = 60_000): Promise<string> {
  machine.send(`${command}; echo "<$?>"\n`);
  const output = await machine.expect(/<\d+>\r?\n/, timeoutMs);
  await machine.expect(PROMPT);
  return output.slice(output.lastIndexOf(BEHIND_ECHO) + BEHIND_ECHO.length);
}
