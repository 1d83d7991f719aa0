import {
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshDisk, PROMPT, shell, startLinux, stock } from './linux-guest.ts';
import { bareMetalFiles, startMachine, type TestMachine, withFolder } from './machine.ts';

const hmp = (machine: TestMachine, line: string): Promise<string> => machine.vm.hmp(line);
const snapshotFile = (disk: string, tag: string): string => join(`${disk}.snapshots`, `${tag}.qcsnap`);

/** Boots, and saves `tag` with the machine stopped. */
async function bootAndSave(disk: string, tag: string, harts = 1): Promise<TestMachine> {
  const machine = await startLinux(disk, harts);
  await machine.expect(PROMPT, 120_000);
  await machine.qmp('stop');
  expect(await hmp(machine, `savevm ${tag}`)).toBe('');
  return machine;
}

describe('snapshots of a machine with the built-in guest', () => {
  it('lose and double no request, saved and loaded again and again under load', () =>
    withFolder(async (folder) => {
      const { kernel, disk } = bareMetalFiles(folder);
      const machine = await startMachine([
        ...'-m 64 -object glib-qcontext,id=ctx0,threaded=yes -object iothread,id=io1 -snapshot'.split(' '),
        ...['-kernel', kernel, '-drive', `file=${disk},if=none,id=drive0,format=raw`],
        ...['-device', 'virtio-blk,drive=drive0,context=ctx0,id=disk0,num-queues=2'],
      ]);
      await machine.expect(/> $/);
      machine.send('mix qd 16 secs 5 seed 7\n');
      for (let round = 0; round < 5; round++) {
        await machine.qmp('qom-set', {
          path: '/machine/peripheral/disk0/virtqueue[0]',
          property: 'context',
          value: round % 2 === 0 ? 'io1' : 'ctx0',
        });
        expect(await hmp(machine, 'savevm load')).toBe('');
        await machine.qmp('qom-set', {
          path: '/machine/peripheral/disk0',
          property: 'context',
          value: 'main',
        });
        expect(await hmp(machine, 'loadvm load')).toBe('');
      }
      // Each queue is where it was when the last snapshot was made.
      const { contexts, devices } = machine.vm.board();
      const places = devices[0]?.queues.map(
        ({ context }) => contexts.find(({ index }) => index === context)?.id,
      );
      expect(places).toEqual(['io1', 'ctx0']);
      const line = await machine.expect(/result op=mix[^\n]*\n/);
      expect(line).toMatch(/\berrors=0\b/);
      expect(line).toMatch(/\blost=0\b/);
      await machine.stop();
    }));
});

describe.runIf(stock !== undefined)('snapshots of a machine with Linux', () => {
  it('goes on in a new process where it was, fio included, with its disk in the context it had moved to', () =>
    withFolder(async (folder) => {
      const disk = freshDisk(folder);
      const first = await startLinux(disk, 2);
      await first.expect(PROMPT, 120_000);
      expect(await shell(first, 'echo kept > /tmp/note')).toMatch(/<0>/);
      first.send('RUNTIME=8 fio /root/verify.fio; echo "<$?>"\n');
      await first.qmp('qom-set', {
        path: '/machine/peripheral/disk0',
        property: 'context',
        value: 'ctx1',
      });
      await new Promise((resolve) => setTimeout(resolve, 2000));
      await first.qmp('stop');
      const before = await first.vm.hmp('info registers');
      expect(await hmp(first, 'savevm busy')).toBe('');
      expect(await hmp(first, 'info snapshots')).toMatch(/busy +\d+ \d{4}-/);
      // Saving changed nothing.
      expect(await first.vm.hmp('info registers')).toBe(before);
      await first.qmp('quit');
      await first.stop();

      const began = Date.now();
      const second = await startLinux(disk, 2, ['-loadvm', 'busy']);
      const seconds = (Date.now() - began) / 1000;
      process.stdout.write(`-loadvm: running after ${seconds.toFixed(2)} s\n`);
      const device = second.vm.board().devices.find(({ id }) => id === 'disk0');
      const ctx1 = second.vm.board().contexts.find(({ id }) => id === 'ctx1');
      expect(device?.queues.map(({ context }) => context)).toEqual([ctx1?.index, ctx1?.index]);
      const output = await second.expect(/<\d+>\r?\n/, 60_000);
      expect(output).toMatch(/err= 0/);
      expect(output).toContain('<0>');
      await second.expect(PROMPT);
      expect(await shell(second, 'cat /tmp/note; nproc')).toMatch(/^kept\r?\n2\r?\n/);
      second.send('poweroff\n');
      expect(await second.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await second.stop();
    }));

  it('stands only while its memory is copied, and runs while the file is written', () =>
    withFolder(async (folder) => {
      const disk = freshDisk(folder);
      const machine = await startLinux(disk, 1, ['-snapshot']);
      await machine.expect(PROMPT, 120_000);
      await shell(machine, 'echo kept > /tmp/note; (while :; do :; done) & true');
      const executed = (): number => machine.vm.board().harts[0]?.instructions ?? 0;
      let atResume = Number.NaN;
      let stoppedMs = Number.NaN;
      let pauseMs = Number.NaN;
      machine.vm.onEvent(({ event, timestamp: { seconds, microseconds } }) => {
        const ms = seconds * 1000 + microseconds / 1000;
        if (event === 'STOP') stoppedMs = ms;
        if (event !== 'RESUME') return;
        pauseMs = ms - stoppedMs;
        atResume = executed();
      });
      const began = Date.now();
      expect(await hmp(machine, 'savevm busy')).toBe('');
      process.stdout.write(`savevm: ${Date.now() - began} ms, the guest stood ${pauseMs.toFixed(0)} ms\n`);
      expect(executed() - atResume).toBeGreaterThan(1e6);
      // What the guest did meanwhile is not in it.
      await shell(machine, 'echo later > /tmp/note');
      expect(await hmp(machine, 'loadvm busy')).toBe('');
      machine.send('\n');
      await machine.expect(PROMPT);
      expect(await shell(machine, 'cat /tmp/note')).toMatch(/^kept/);
      await machine.stop();
    }));

  it('the guest has the right time again soon after it goes on', () =>
    withFolder(async (folder) => {
      const machine = await startLinux(freshDisk(folder), 1, ['-snapshot']);
      await machine.expect(PROMPT, 120_000);
      // Its clock is told in whole seconds, and was set from whole seconds.
      const lateSeconds = async (): Promise<number> => {
        const told = Number(/\d{10}/.exec(await shell(machine, 'date +%s'))?.[0]);
        return Date.now() / 1000 - told;
      };
      expect(await hmp(machine, 'savevm then')).toBe('');
      await new Promise((resolve) => setTimeout(resolve, 6000));
      expect(await hmp(machine, 'loadvm then')).toBe('');
      machine.send('\n');
      await machine.expect(PROMPT);
      const end = Date.now() + 40_000;
      let late = await lateSeconds();
      while (late > 3 && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        late = await lateSeconds();
      }
      expect(late).toBeLessThan(3);
      expect(late).toBeGreaterThan(-1);
      await machine.stop();
    }));

  it('goes back in the running machine, for a disk whose writes are kept in memory', () =>
    withFolder(async (folder) => {
      const machine = await startLinux(freshDisk(folder), 1, ['-snapshot']);
      await machine.expect(PROMPT, 120_000);
      await shell(machine, 'echo one > /root/note; sync');
      expect(await hmp(machine, 'savevm -u one')).toBe('');
      await shell(machine, 'echo two > /root/note; sync; echo three > /tmp/other');
      expect(await hmp(machine, 'loadvm one')).toBe('');
      expect(machine.vm.board().runState).toBe('running');
      machine.send('\n');
      await machine.expect(PROMPT);
      expect(await shell(machine, 'echo 3 > /proc/sys/vm/drop_caches; cat /root/note /tmp/other')).toMatch(
        /^one\r?\ncat: .*other/,
      );
      expect(await hmp(machine, 'delvm one')).toBe('');
      expect(await hmp(machine, 'loadvm one')).toContain("Snapshot 'one' does not exist");
      expect(await hmp(machine, 'info snapshots')).toContain('no snapshot');
      await machine.stop();
    }));

  it('refuses a disk that was written to since, damage, and another machine; and changes nothing then', () =>
    withFolder(async (folder) => {
      const disk = freshDisk(folder);
      const machine = await bootAndSave(disk, 'a');
      await machine.qmp('cont');
      await shell(machine, 'echo written > /root/since; sync');
      expect(await hmp(machine, 'loadvm a')).toMatch(/drive0.*was written to since/);
      // The guest did not notice.
      expect(await shell(machine, 'cat /root/since')).toMatch(/^written/);
      await machine.qmp('stop');
      expect(await hmp(machine, 'savevm b')).toBe('');
      await machine.qmp('quit');
      await machine.stop();

      const refused = async (tag: string, more: readonly string[], harts = 1): Promise<string> => {
        try {
          const unexpected = await startLinux(disk, harts, ['-loadvm', tag, ...more]);
          await unexpected.stop();
          return 'started';
        } catch (error) {
          return String(error);
        }
      };
      expect(await refused('a', [])).toMatch(/was written to since[^]*Boot instead/);
      expect(await refused('nosuch', [])).toMatch(/does not exist/);
      expect(await refused('b', ['-m', '128'])).toMatch(/another machine: -m 256, here -m 128/);
      expect(await refused('b', [], 2)).toMatch(/-smp 1, here -smp 2/);
      expect(await refused('b', ['-device', 'virtio-rng'])).toMatch(/it has no virtio-rng-device/);

      const file = snapshotFile(disk, 'b');
      const whole = readFileSync(file);
      const damaged = Buffer.from(whole);
      damaged[whole.length >> 1] = (damaged[whole.length >> 1] as number) ^ 1;
      writeFileSync(file, damaged);
      expect(await refused('b', [])).toMatch(/damaged: the checksum of section/);
      writeFileSync(file, whole);
      truncateSync(file, whole.length - 100);
      expect(await refused('b', [])).toMatch(/damaged/);
      writeFileSync(file, whole);

      // Whole again it loads; one byte written to the disk by anybody, and it does not.
      expect(await refused('b', ['-S'])).toBe('started');
      writeSync(openSync(disk, 'r+'), Uint8Array.of(0), 0, 1, 64 * 1024 * 1024);
      expect(await refused('b', [])).toMatch(/was written to since/);
      expect(readdirSync(`${disk}.snapshots`).toSorted()).toEqual(['a.qcsnap', 'b.qcsnap']);
      expect(existsSync(file)).toBe(true);
    }));
});
