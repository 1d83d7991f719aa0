import { describe, expect, it } from 'vitest';
import { bareMetalFiles, startMachine, type TestMachine, withFolder, within } from './machine.ts';

const field = (line: string, name: string): string => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1] ?? '';
const queue0 = (machine: TestMachine) => machine.vm.board().devices[0]?.queues[0];
const DISK = '/machine/peripheral/disk0';

/** What the proposal's examples have in common, word for word but for the file's name. */
const REST =
  '-drive file=disk.img,if=none,id=drive0,format=raw,cache=none,aio=native -device virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx0';

const words = (text: string, files: { kernel: string; disk: string }): string[] => [
  '-kernel',
  files.kernel,
  ...text.replace('disk.img', files.disk).split(' '),
];

describe("the proposal's command lines", () => {
  it.each([
    ['-object glib-qcontext,id=ctx0,threaded=yes'],
    ['-context ctx0,threaded=yes,backend=default'],
    ['-context ctx0,threaded=yes,backend=glib'],
  ])('%s runs its disk in ctx0', (first) =>
    withFolder(async (folder) => {
      const machine = await startMachine(words(`${first} ${REST}`, bareMetalFiles(folder)));
      await machine.expect(/> $/);
      machine.send('verify qd 16 count 1000\n');
      const line = await machine.expect(/result op=verify[^\n]*\n/);
      expect([field(line, 'errors'), field(line, 'lost')], line).toEqual(['0', '0']);
      const { contexts } = machine.vm.board();
      const ctx0 = contexts.find(({ id }) => id === 'ctx0');
      expect(ctx0).toMatchObject({ threaded: true, qomPath: '/objects/ctx0' });
      expect(queue0(machine)?.context).toBe(ctx0?.index);
      expect(queue0(machine)?.requests).toBeGreaterThan(1000);
      // It is that context's thread that did the work.
      const worked = ctx0?.sources.find(({ name }) => name === `virtio${machine.slot()}/vq0`);
      expect(worked?.dispatches).toBeGreaterThan(0);
      machine.send('poweroff\n');
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
      await machine.stop();
    }),
  );

  it('without context= the disk is in main, as the proposal says', () =>
    withFolder(async (folder) => {
      const text = `-object glib-qcontext,id=ctx0,threaded=yes ${REST.replace(',context=ctx0', '')}`;
      const machine = await startMachine(words(text, bareMetalFiles(folder)));
      expect(queue0(machine)?.configuredContext).toBe(0);
      await machine.stop();
    }));
});

/**
 * The seven defects of the published proposal that are defects of the event loop are shown, one test each, in
 * src/engine/qcontext/rfc-defects.test.ts. Here those a whole machine can show.
 */
describe('defects of the proposal, on a machine', () => {
  const withLoad = async (
    more: { drive?: string; objects?: readonly string[] },
    use: (machine: TestMachine) => Promise<void>,
  ): Promise<void> =>
    withFolder(async (folder) => {
      const files = bareMetalFiles(folder);
      const machine = await startMachine([
        '-m',
        '64',
        '-kernel',
        files.kernel,
        ...['-object', 'glib-qcontext,id=ctx0,threaded=yes', ...(more.objects ?? [])],
        ...['-drive', `file=${files.disk},if=none,id=drive0,format=raw${more.drive ?? ''}`],
        ...['-device', 'virtio-blk,drive=drive0,context=ctx0,id=disk0'],
      ]);
      await machine.expect(/> $/);
      try {
        await use(machine);
      } finally {
        await machine.stop();
      }
    });

  it('D2: a context that goes takes nothing of another one with it', () =>
    withLoad({ objects: ['-object', 'glib-qcontext,id=ctx1,threaded=yes'] }, async (machine) => {
      machine.send('mix qd 16 count 4000 seed 2\n');
      for (let i = 0; i < 5; i++) {
        await machine.qmp('object-del', { id: 'ctx1' });
        await machine.qmp('object-add', { 'qom-type': 'glib-qcontext', id: 'ctx1', threaded: true });
      }
      const line = await machine.expect(/result op=mix[^\n]*\n/);
      expect([field(line, 'errors'), field(line, 'lost')], line).toEqual(['0', '0']);
    }));

  it('D4: a lookup that fails is an error, and everything is as before', () =>
    withLoad({}, async (machine) => {
      const set = { path: DISK, property: 'context', value: 'ctx7' };
      const reply = await machine.vm.qmp('qom-set', set);
      expect(reply).toMatchObject({ ok: false, error: { desc: expect.stringContaining('ctx7') as string } });
      machine.send('verify qd 4 count 100\n');
      const line = await machine.expect(/result op=verify[^\n]*\n/);
      expect([field(line, 'errors'), field(line, 'lost')], line).toEqual(['0', '0']);
    }));

  it('D7: a device that is deleted with requests in flight waits for them, then leaves its loop', () =>
    withLoad({ drive: ',throttling.iops-total=20' }, async (machine) => {
      machine.send('write qd 32 count 100000\n');
      await machine.until(() => (queue0(machine)?.inFlight ?? 0) > 16);
      const slot = machine.slot();
      const name = `virtio${slot}/vq0`;
      await within(machine.qmp('device_del', { id: 'disk0' }), 10_000, 'device_del');
      expect(machine.vm.board().devices).toEqual([]);
      const has = () =>
        machine.vm.board().contexts.some(({ sources }) => sources.some((source) => source.name === name));
      await machine.until(() => !has());
      // Nobody holds on to the disk or the loop: both go, and the disk can be used again elsewhere.
      await within(machine.qmp('object-del', { id: 'ctx0' }), 10_000, 'object-del');
      await within(
        machine.qmp('device_add', { driver: 'virtio-blk', id: 'again', drive: 'drive0', context: 'main' }),
        10_000,
        'device_add',
      );
      expect(machine.vm.board().devices).toMatchObject([{ id: 'again' }]);
    }));

  it('D7: a machine that ends with requests in flight waits for them', () =>
    withLoad({ drive: ',throttling.iops-total=20' }, async (machine) => {
      machine.send('write qd 32 count 100000\n');
      await machine.until(() => (queue0(machine)?.inFlight ?? 0) > 16);
      await machine.qmp('quit');
      expect(await within(machine.vm.ended, 10_000, 'quit')).toEqual({ reason: 'host-quit' });
    }));

  it('D7: a move with requests in flight waits for them, and nothing is lost', () =>
    withLoad({ drive: ',throttling.iops-total=200,throttling.iops-size=4096' }, async (machine) => {
      machine.send('verify qd 32 count 300\n');
      await machine.until(() => (queue0(machine)?.inFlight ?? 0) > 16);
      const report = await machine.qmp('qom-set', { path: DISK, property: 'context', value: 'main' });
      expect((report as { inFlight: number }).inFlight).toBeGreaterThan(0);
      const line = await machine.expect(/result op=verify[^\n]*\n/);
      expect([field(line, 'errors'), field(line, 'lost')], line).toEqual(['0', '0']);
      expect(queue0(machine)).toMatchObject({ context: 0, inFlight: 0 });
    }));
});
