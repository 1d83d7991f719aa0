import { renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bareMetalFiles, startMachine, type TestMachine, withFolder, within } from './machine.ts';

const DISK = '/machine/peripheral/disk0';
const CONTEXTS = ['ctx0', 'ctx1', 'main'];

const withMachine = (more: string, use: (machine: TestMachine) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    const files = bareMetalFiles(folder);
    const machine = await startMachine([
      '-m',
      '64',
      '-kernel',
      files.kernel,
      ...['-object', 'glib-qcontext,id=ctx0,threaded=yes', '-object', 'iothread,id=ctx1'],
      ...['-drive', `file=${files.disk},if=none,id=drive0,format=raw`],
      ...['-device', `virtio-blk,drive=drive0,id=disk0${more}`],
    ]);
    try {
      await machine.expect(/> $/);
      await use(machine);
    } finally {
      await machine.stop();
    }
  });

const move = (machine: TestMachine, place: number, path = DISK) =>
  machine.vm.qmp('qom-set', { path, property: 'context', value: CONTEXTS[place % 3] });

describe('the end of a machine', () => {
  it('comes while queues in three contexts have requests in flight at one disk', () =>
    withMachine(',context=ctx0,num-queues=3', async (machine) => {
      machine.send('queues 3\n');
      await machine.expect(/> $/);
      for (const queue of [0, 1, 2]) await move(machine, queue, `${DISK}/virtqueue[${queue}]`);
      machine.send('loop qd 64\n');
      await machine.until(() => (machine.vm.board().devices[0]?.queues[2]?.requests ?? 0) > 100);
      await machine.qmp('quit');
      expect(await within(machine.vm.ended, 10_000, 'quit')).toEqual({ reason: 'host-quit' });
    }));

  it('comes while a disk is moving', () =>
    withMachine(',context=ctx0', async (machine) => {
      machine.send('loop qd 64\n');
      await machine.until(() => (machine.vm.board().devices[0]?.queues[0]?.requests ?? 0) > 100);
      const moves = Array.from({ length: 40 }, (_, i) => move(machine, i + 1));
      await moves[1];
      const quit = machine.vm.qmp('quit');
      expect(await within(machine.vm.ended, 10_000, 'quit')).toEqual({ reason: 'host-quit' });
      await machine.stop();
      // Whatever was asked is answered, with a yes or a no.
      for (const asked of [...moves, quit])
        expect(typeof (await within(asked, 1000, 'an answer')).ok).toBe('boolean');
    }));
});

describe('a disk nobody can open any more', () => {
  it('fails its requests until it can be opened again; the machine lives', () =>
    withMachine(',context=ctx0', async (machine) => {
      const blocks = (await machine.qmp('query-block')) as { inserted: { file: string } }[];
      const file = blocks[0]?.inserted.file ?? '';
      const errors = async (): Promise<number> => {
        machine.send('mix qd 4 secs 1 span 1M seed 1\n');
        const line = await machine.expect(/result op=mix[^\n]*\n/);
        await machine.expect(/> $/);
        return Number(/\berrors=(\d+)/.exec(line)?.[1]);
      };
      expect(await errors()).toBe(0);
      renameSync(file, `${file}.gone`);
      const refused = await move(machine, 2);
      expect(refused.ok ? '' : refused.error.desc).toContain('nor can ctx0 open it again');
      expect(await errors()).toBeGreaterThan(0);
      renameSync(`${file}.gone`, file);
      expect((await move(machine, 2)).ok).toBe(true);
      expect(await errors()).toBe(0);
      expect(await machine.qmp('query-status')).toMatchObject({ status: 'running' });
    }));
});

describe('run state', () => {
  it('stop and cont that come at once are carried out one after the other', () =>
    withMachine(',context=ctx0', async (machine) => {
      const { vm } = machine;
      for (let i = 0; i < 20; i++) {
        const asked = [
          vm.qmp('stop'),
          vm.qmp('cont'),
          vm.qmp('system_reset'),
          vm.qmp('stop'),
          vm.qmp('cont'),
        ];
        for (const reply of asked) expect((await within(reply, 10_000, 'an answer')).ok).toBe(true);
      }
      expect(await machine.qmp('query-status')).toMatchObject({ status: 'running' });
      machine.send('\n');
      machine.send('verify qd 4 count 100\n');
      expect(await machine.expect(/result op=verify[^\n]*\n/)).toContain('errors=0');
    }));
});

describe('objects come and go', () => {
  it('a disk taken off the board is not left in a context that goes', () =>
    withMachine(',context=ctx0', async (machine) => {
      await machine.qmp('device_del', { id: 'disk0' });
      await machine.qmp('object-del', { id: 'ctx0' });
      const add = machine.qmp('device_add', {
        driver: 'virtio-blk',
        id: 'disk0',
        drive: 'drive0',
        context: 'ctx1',
      });
      await within(add, 10_000, 'device_add');
      expect(machine.vm.board().devices).toMatchObject([{ id: 'disk0' }]);
    }));

  it('a device that is refused leaves its disk where anything can have it', () =>
    withMachine(',context=ctx0', async (machine) => {
      await machine.qmp('device_del', { id: 'disk0' });
      const device = { driver: 'virtio-blk', id: 'disk0', drive: 'drive0' };
      const refused = await machine.vm.qmp('device_add', { ...device, context: 'ctx0', 'num-queues': 64 });
      expect(refused.ok).toBe(false);
      await machine.qmp('object-del', { id: 'ctx0' });
      await within(machine.qmp('device_add', { ...device, context: 'main' }), 10_000, 'device_add');
    }));

  it('a context is deleted and made again under the same name, at speed', () =>
    withMachine('', async (machine) => {
      const { vm } = machine;
      for (let i = 0; i < 10; i++) {
        const asked = [
          vm.qmp('object-del', { id: 'ctx0' }),
          vm.qmp('object-add', { 'qom-type': 'glib-qcontext', id: 'ctx0', threaded: true }),
        ];
        for (const reply of asked) expect((await within(reply, 10_000, 'an answer')).ok).toBe(true);
      }
      expect(await move(machine, 0)).toMatchObject({ ok: true });
    }));
});
