import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshDisk, PROMPT, shell, startLinux, stock } from './linux-guest.ts';
import { startMachine, type TestMachine, withFolder } from './machine.ts';

/** How long the guest is kept busy; minutes when looking for races. */
const STRESS_SECONDS = Number(process.env['QCONTEXT_STRESS_SECONDS'] ?? 15);

/** Boots Linux with `harts` harts on a copy of the root disk in `folder`. */
async function boot(folder: string, harts: number): Promise<TestMachine> {
  const machine = await startLinux(freshDisk(folder), harts);
  await machine.expect(PROMPT, 120_000);
  return machine;
}

/**
 * Four loops that each know the right answer, and fio, which verifies. Complaints begin with BAD; `over` is
 * not spelled out, so that the terminal's echo does not match.
 */
const STRESS = [
  'end=$(($(date +%s)+$1)); sum=$(md5sum < /bin/busybox)',
  'busy() { [ $(date +%s) -lt $end ]; }',
  'md5() { while busy; do [ "$(cat /bin/busybox | md5sum)" = "$sum" ] || echo BAD md5; done; }',
  'zip() { while busy; do [ "$(gzip -1 < /bin/busybox | gzip -d | md5sum)" = "$sum" ] || echo BAD gzip; done; }',
  'copy() { while busy; do dd if=/bin/busybox bs=4k of=/tmp/copy 2>/dev/null',
  '  [ "$(dd if=/tmp/copy bs=512 2>/dev/null | md5sum)" = "$sum" ] || echo BAD dd; done; }',
  'fork() { n=0; while busy; do n=$((n+1)); [ "$( (echo $n | (cat | cat)) )" = $n ] || echo BAD fork; done; }',
  'md5 & zip & copy & fork & RUNTIME=$1 fio /root/verify.fio > /tmp/fio.log & wait',
  'grep -o "err= *[0-9]*" /tmp/fio.log; echo all-""over',
];

describe.runIf(stock !== undefined)('Debian Linux with several harts', () => {
  it.each([2, 4])('boots with %i harts, runs on each of them, resets and powers off', (harts) =>
    withFolder(async (folder) => {
      const machine = await boot(folder, harts);
      expect(await shell(machine, 'nproc')).toMatch(new RegExp(`^${harts}\\r?\\n`));
      for (let hart = 0; hart < harts; hart++) {
        const on = await shell(machine, `taskset -c ${hart} sh -c 'cut -d" " -f39 /proc/self/stat'`);
        expect(on).toMatch(new RegExp(`^${hart}\\r?\\n`));
      }
      const status = machine.vm.board().harts;
      expect(status.every(({ instructions }) => instructions > 1e6)).toBe(true);
      await machine.qmp('system_reset');
      await machine.expect(PROMPT, 120_000);
      expect(await shell(machine, 'nproc')).toMatch(new RegExp(`^${harts}\\r?\\n`));
      machine.send('poweroff\n');
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await machine.stop();
    }),
  );

  it(
    'survives pipes, forks, compression and fio on two harts while its disk moves and it is stopped',
    () =>
      withFolder(async (folder) => {
        const machine = await boot(folder, 2);
        machine.send(`cat > /tmp/stress.sh <<"EOF"\n${STRESS.join('\n')}\nEOF\n`);
        await machine.expect(PROMPT);
        machine.send(`sh /tmp/stress.sh ${STRESS_SECONDS}\n`);
        const stress = { over: false };
        const finished = machine.expect(/all-over\r?\n/, STRESS_SECONDS * 4000 + 100_000).finally(() => {
          stress.over = true;
        });
        const places = ['ctx1', 'main', 'ctx0'];
        let moves = 0;
        while (!stress.over) {
          await machine.qmp('qom-set', {
            path: '/machine/peripheral/disk0',
            property: 'context',
            value: places[moves++ % 3],
          });
          if (moves % 10 === 0) {
            // Both pause the harts; neither may undo the other.
            await Promise.all([machine.vm.hmp('info registers'), machine.qmp('stop')]);
            await machine.qmp('cont');
          }
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        const output = await finished;
        expect(output).not.toContain('BAD');
        expect(output).toMatch(/err= 0/);
        expect(moves).toBeGreaterThan(20);
        expect(await shell(machine, 'dmesg | grep -ciE "stall|lockup|oops|bug:"')).toMatch(/^0\r?\n/);
        await machine.stop();
      }),
    STRESS_SECONDS * 5000 + 180_000,
  );
});

describe('a machine whose firmware runs on every hart', () => {
  it('is powered off by hart 1 while hart 0 waits', () =>
    withFolder(async (folder) => {
      const firmware = join(folder, 'poweroff.bin');
      const words = [
        0xf14022f3, // csrr  t0, mhartid
        0x00100313, // li    t1, 1
        0x00629a63, // bne   t0, t1, wait
        0x001003b7, // lui   t2, 0x100          the test finisher
        0x00005e37, // lui   t3, 0x5
        0x555e0e13, // addi  t3, t3, 0x555      FINISHER_PASS
        0x01c3a023, // sw    t3, 0(t2)
        0x10500073, // wait: wfi
        0xffdff06f, // j     wait
      ];
      writeFileSync(firmware, new Uint8Array(Uint32Array.from(words).buffer));
      const machine = await startMachine(['-m', '16', '-smp', '3', '-bios', firmware]);
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await machine.stop();
    }));
});
