import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bareMetalFiles, guestDir, startMachine, withFolder } from './machine.ts';

const manifestFile = join(guestDir, 'manifest.json');
const stock = existsSync(manifestFile)
  ? (
      JSON.parse(readFileSync(manifestFile, 'utf8')) as {
        kernels?: Record<string, { image: string; initrd?: string; append: string }>;
      }
    ).kernels?.['stock']
  : undefined;

describe('-accel tcg,jit=on', () => {
  it('computes what the interpreter computes, several times over', () =>
    withFolder(async (folder) => {
      const { kernel } = bareMetalFiles(folder);
      const machine = await startMachine(['-accel', 'tcg,jit=on', '-m', '64', '-kernel', kernel]);
      await machine.expect(/> $/);
      for (const program of ['sieve', 'interp', 'sha256', 'sieve']) {
        machine.send(`cpu ${program}\n`);
        expect(await machine.expect(/result op=cpu[^\n]*\n/)).toContain('check=ok');
      }
      await machine.stop();
    }));

  it.runIf(stock !== undefined)('boots Linux, and fio verifies while the disk moves', () =>
    withFolder(async (folder) => {
      if (stock === undefined) return;
      const disk = join(folder, 'disk.img');
      copyFileSync(join(guestDir, 'rootfs.ext4'), disk);
      const machine = await startMachine([
        '-accel',
        'tcg,jit=on',
        '-kernel',
        join(guestDir, stock.image),
        ...(stock.initrd === undefined ? [] : ['-initrd', join(guestDir, stock.initrd)]),
        '-append',
        stock.append,
        '-object',
        'glib-qcontext,id=ctx0,threaded=yes',
        '-drive',
        `file=${disk},if=none,id=drive0,format=raw`,
        '-device',
        'virtio-blk,drive=drive0,context=ctx0,id=disk0',
      ]);
      await machine.expect(/root@qcontext:[^#]*# $/, 120_000);
      machine.send('RUNTIME=5 fio /root/verify.fio; echo "<$?>"\n');
      const run = { over: false };
      const finished = machine.expect(/<\d+>\r?\n/, 120_000).finally(() => {
        run.over = true;
      });
      for (let i = 0; !run.over; i++) {
        const value = i % 2 === 0 ? 'main' : 'ctx0';
        await machine.qmp('qom-set', { path: '/machine/peripheral/disk0', property: 'context', value });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(await finished).toMatch(/err= 0[\s\S]*<0>/);
      machine.send('poweroff\n');
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await machine.stop();
    }),
  );
});
