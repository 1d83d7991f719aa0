import { describe, expect, it } from 'vitest';
import { bareMetalFiles, startMachine, withFolder } from './machine.ts';

/** One field of a `result` line of the built-in guest. */
const field = (line: string, name: string): string => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1] ?? '';

const contexts = ['-object', 'glib-qcontext,id=ctx0,threaded=yes', '-object', 'iothread,id=io1'];
const disk = (file: string, more = '') => [
  '-drive',
  `file=${file},if=none,id=drive0,format=raw`,
  '-device',
  `virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx0,id=disk0${more}`,
];

describe('the built-in guest on our machine', () => {
  it('reads, writes and verifies at every queue depth, and powers off', () =>
    withFolder(async (folder) => {
      const files = bareMetalFiles(folder);
      const machine = await startMachine([
        '-m',
        '64',
        '-kernel',
        files.kernel,
        ...contexts,
        ...disk(files.disk),
      ]);
      await machine.expect(/> $/);
      for (const depth of [1, 4, 16, 128]) {
        machine.send(`mix qd ${depth} count 2000 seed ${depth}\n`);
        const line = await machine.expect(/result op=mix[^\n]*\n/);
        expect(field(line, 'errors'), line).toBe('0');
        expect(field(line, 'lost'), line).toBe('0');
      }
      machine.send('poweroff\n');
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await machine.stop();
    }));

  it('loses and doubles nothing while its disk moves between three contexts', () =>
    withFolder(async (folder) => {
      const files = bareMetalFiles(folder);
      const machine = await startMachine([
        '-m',
        '64',
        '-kernel',
        files.kernel,
        ...contexts,
        ...disk(files.disk),
      ]);
      await machine.expect(/> $/);
      machine.send('mix qd 16 secs 8 seed 7\n');
      const places = ['io1', 'main', 'ctx0'];
      let moves = 0;
      const end = Date.now() + 7000;
      while (Date.now() < end) {
        await machine.qmp('qom-set', {
          path: '/machine/peripheral/disk0',
          property: 'context',
          value: places[moves % 3],
        });
        moves += 1;
      }
      const line = await machine.expect(/result op=mix[^\n]*\n/);
      expect(field(line, 'errors'), line).toBe('0');
      expect(field(line, 'lost'), line).toBe('0');
      expect(Number(field(line, 'count'))).toBeGreaterThan(0);
      expect(moves).toBeGreaterThan(20);
      await machine.stop();
    }));

  it('serves four queues in three contexts from one disk, and moves them one by one', () =>
    withFolder(async (folder) => {
      const files = bareMetalFiles(folder);
      const machine = await startMachine([
        '-m',
        '64',
        '-kernel',
        files.kernel,
        ...contexts,
        ...disk(files.disk, ',num-queues=4'),
      ]);
      await machine.expect(/> $/);
      machine.send('queues 4\n');
      await machine.expect(/> $/);
      machine.send('mix qd 32 secs 5 seed 9\n');
      const places = ['io1', 'main', 'ctx0'];
      for (let i = 0; i < 24; i++) {
        await machine.qmp('qom-set', {
          path: `/machine/peripheral/disk0/virtqueue[${i % 4}]`,
          property: 'context',
          value: places[i % 3],
        });
      }
      const line = await machine.expect(/result op=mix[^\n]*\n/);
      expect(field(line, 'errors'), line).toBe('0');
      expect(field(line, 'lost'), line).toBe('0');
      const queues = machine.vm.board().devices[0]?.queues ?? [];
      expect(new Set(queues.map((queue) => queue.context)).size).toBeGreaterThan(1);
      for (const queue of queues) expect(queue.completions).toBe(queue.requests);
      await machine.stop();
    }));
});
