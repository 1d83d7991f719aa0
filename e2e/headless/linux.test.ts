import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { guestDir, startMachine, type TestMachine, withFolder } from './machine.ts';

interface Manifest {
  readonly available: boolean;
  readonly kernels: Readonly<Record<string, { image: string; initrd?: string; append: string }>>;
}
const manifest = existsSync(join(guestDir, 'manifest.json'))
  ? (JSON.parse(readFileSync(join(guestDir, 'manifest.json'), 'utf8')) as Manifest)
  : undefined;
const stock = manifest?.available === true ? manifest.kernels['stock'] : undefined;
const vmScript = fileURLToPath(new URL('../../build/node/vm.js', import.meta.url));
const PROMPT = /root@qcontext:[^#]*# $/;

/** Boots the stock kernel on a copy of the root disk. */
function boot(disk: string, more: readonly string[] = []): Promise<TestMachine> {
  if (stock === undefined) throw new Error('no Linux guest: npm run guest');
  return startMachine([
    '-m',
    '256',
    '-kernel',
    join(guestDir, stock.image),
    '-append',
    stock.append,
    ...(stock.initrd === undefined ? [] : ['-initrd', join(guestDir, stock.initrd)]),
    '-object',
    'glib-qcontext,id=ctx0,threaded=yes',
    '-object',
    'glib-qcontext,id=ctx1,threaded=yes',
    '-drive',
    `file=${disk},if=none,id=drive0,format=raw,cache=none,aio=native`,
    '-device',
    'virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx0,id=disk0,serial=QCTX0001',
    ...more,
  ]);
}

/** Runs a shell command in the guest; resolves with its output. */
async function shell(machine: TestMachine, command: string, timeoutMs = 60_000): Promise<string> {
  machine.send(`${command}; echo "<$?>"\n`);
  const output = await machine.expect(/<\d+>\r?\n/, timeoutMs);
  await machine.expect(PROMPT);
  return output;
}

describe.runIf(stock !== undefined)('Debian Linux on our machine', () => {
  it('boots to a prompt, keeps a file over a power-off, and leaves a clean file system', () =>
    withFolder(async (folder) => {
      const disk = join(folder, 'disk.img');
      copyFileSync(join(guestDir, 'rootfs.ext4'), disk);
      const first = await boot(disk);
      await first.expect(PROMPT, 120_000);
      expect(await shell(first, 'cat /sys/block/vda/serial')).toContain('QCTX0001');
      await shell(first, 'echo "written by the first boot" > /root/note && sync');
      first.send('poweroff\n');
      expect(await first.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await first.stop();

      const second = await boot(disk);
      await second.expect(PROMPT, 120_000);
      expect(await shell(second, 'cat /root/note')).toContain('written by the first boot');
      expect(await shell(second, 'dmesg | grep -ci "recovery complete"')).toMatch(/\b0\b/);
      await second.qmp('quit');
      await second.stop();
    }));

  it('loses nothing when fio verifies while the system disk moves, and the guest stops and resets', () =>
    withFolder(async (folder) => {
      const disk = join(folder, 'disk.img');
      copyFileSync(join(guestDir, 'rootfs.ext4'), disk);
      const machine = await boot(disk);
      await machine.expect(PROMPT, 120_000);
      machine.send('RUNTIME=10 fio /root/verify.fio; echo "<$?>"\n');
      const places = ['ctx1', 'main', 'ctx0'];
      let moves = 0;
      const run = { over: false };
      const finished = machine.expect(/<\d+>\r?\n/, 120_000).finally(() => {
        run.over = true;
      });
      while (!run.over) {
        await machine.qmp('qom-set', {
          path: '/machine/peripheral/disk0',
          property: 'context',
          value: places[moves++ % 3],
        });
        if (moves % 20 === 0) {
          await machine.qmp('stop');
          await machine.qmp('cont');
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const output = await finished;
      expect(output).toContain('<0>');
      expect(output).toMatch(/err= 0/);
      expect(moves).toBeGreaterThan(30);
      await machine.qmp('system_reset');
      await machine.expect(PROMPT, 120_000);
      await machine.stop();
    }));

  it('is the default guest of the headless command, and exits 0 on power-off', async () => {
    const child = spawn('node', ['--no-warnings', vmScript], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (bytes: Buffer) => {
        output += bytes.toString();
        if (PROMPT.test(output)) resolve();
      });
    });
    child.stdin.write('poweroff\n');
    expect(await closed).toBe(0);
  });
});

describe('the headless command refuses what it cannot do', () => {
  const run = async (args: readonly string[]): Promise<{ code: number | null; stderr: string }> => {
    const child = spawn('node', ['--no-warnings', vmScript, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stderr };
  };

  it.each([
    ['an unknown option', ['-nosuch'], /-nosuch/],
    ['a kernel that is not there', ['-kernel', '/nowhere/Image'], /-kernel \/nowhere\/Image: no such file/],
    ['a kernel that is none', ['-kernel', vmScript], /text, not a kernel/],
    ['a drive that is not there', ['-kernel', vmScript, '-device', 'virtio-blk,drive=none0'], /none0/],
    [
      'an unknown context',
      ['-drive', 'file=x,if=none,id=d', '-device', 'virtio-blk,drive=d,context=nope'],
      /nope/,
    ],
  ])('%s', async (_what, args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
