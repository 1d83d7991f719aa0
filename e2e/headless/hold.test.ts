import { describe, expect, it } from 'vitest';
import { bareMetalFiles, startMachine, type TestMachine, withFolder, within } from './machine.ts';

const DISK = '/machine/peripheral/disk0';
const queue0 = (machine: TestMachine) => machine.vm.board().devices[0]?.queues[0];
const context = (machine: TestMachine, id: string) =>
  machine.vm.board().contexts.find((each) => each.id === id);
const hold = (machine: TestMachine, enable: boolean, id = 'ctx0') =>
  within(machine.vm.qmp('x-context-hold', { id, enable }), 5000, `x-context-hold ${enable}`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const withMachine = (
  more: { device?: string; drive?: string },
  use: (machine: TestMachine) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const files = bareMetalFiles(folder);
    const machine = await startMachine([
      '-m',
      '64',
      '-kernel',
      files.kernel,
      ...['-object', 'glib-qcontext,id=ctx0,threaded=yes', '-object', 'iothread,id=ctx1'],
      ...['-drive', `file=${files.disk},if=none,id=drive0,format=raw${more.drive ?? ''}`],
      ...['-device', `virtio-blk,drive=drive0,id=disk0,context=ctx0${more.device ?? ''}`],
    ]);
    try {
      await machine.expect(/> $/);
      await use(machine);
    } finally {
      await machine.stop();
    }
  });

/** Load, and ctx0 held in the midst of it. */
async function holdUnderLoad(machine: TestMachine, command = 'verify qd 32 count 4000'): Promise<void> {
  machine.send(`${command}\n`);
  await machine.until(() => (queue0(machine)?.requests ?? 0) > 100);
  expect(await hold(machine, true)).toMatchObject({ ok: true });
}

async function releaseAndVerify(machine: TestMachine): Promise<void> {
  expect(await hold(machine, false)).toMatchObject({ ok: true });
  const line = await machine.expect(/result op=verify[^\n]*\n/);
  expect(line).toContain('errors=0');
  expect(line).toContain('lost=0');
}

describe('holding one context', () => {
  it.each([
    ['split', ''],
    ['packed', ',packed=on'],
  ])('fills its %s ring while the machine runs; released, nothing is lost', (_ring, device) =>
    withMachine({ device }, async (machine) => {
      const events: string[] = [];
      machine.vm.onEvent(({ event, data }) =>
        events.push(`${event} ${String(data?.['id'])} ${String(data?.['reason'])}`),
      );
      await holdUnderLoad(machine);
      await machine.until(() => queue0(machine)?.waiting === 32);
      const before = queue0(machine);
      const instructions = machine.vm.board().harts[0]?.instructions ?? 0;
      await pause(200);
      const after = queue0(machine);
      expect([after?.usedIdx, after?.lastAvail, after?.waiting]).toEqual([
        before?.usedIdx,
        before?.lastAvail,
        32,
      ]);
      expect(context(machine, 'ctx0')).toMatchObject({ state: 'held' });
      expect(context(machine, 'ctx0')?.heldNs).toBeGreaterThan(150e6);
      expect(context(machine, 'main')?.heldNs).toBeUndefined();
      // The rest of the machine runs: the guest hears a key, the monitor answers.
      machine.send(' ');
      await machine.until(() => (machine.vm.board().harts[0]?.instructions ?? 0) > instructions);
      expect(await machine.vm.hmp('info contexts')).toMatch(/^ctx0: .*, held$/m);
      await releaseAndVerify(machine);
      expect(context(machine, 'ctx0')?.heldNs).toBeUndefined();
      expect(events).toEqual(['CONTEXT_HELD ctx0 command', 'CONTEXT_RELEASED ctx0 command']);
    }),
  );

  it('says why not: main, one without a thread, one that is not there', () =>
    withMachine({}, async (machine) => {
      await machine.qmp('object-add', { 'qom-type': 'glib-qcontext', id: 'loose', threaded: false });
      for (const [id, why] of [
        ['main', "'main' can't be held: the monitor"],
        ['loose', 'no thread of its own'],
        ['ctx7', "no context 'ctx7'"],
      ] as const)
        expect(await hold(machine, true, id)).toMatchObject({
          ok: false,
          error: { desc: expect.stringContaining(why) as string },
        });
    }));

  it('refuses what would wait for it, and says how out; what need not wait works', () =>
    withMachine({ drive: ',throttling.iops-total=200' }, async (machine) => {
      await holdUnderLoad(machine, 'verify qd 8 count 150');
      const refused: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
        ['qom-set', { path: DISK, property: 'context', value: 'ctx1' }],
        ['device_del', { id: 'disk0' }],
        [
          'block_set_io_throttle',
          { id: 'disk0', bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 },
        ],
      ];
      for (const [name, args] of refused)
        expect(await within(machine.vm.qmp(name, args), 5000, name), name).toMatchObject({
          ok: false,
          error: {
            desc: expect.stringContaining('ctx0 is held') as string,
            hint: expect.stringContaining('x-context-hold ctx0 off') as string,
          },
        });
      expect(await machine.vm.hmp('savevm now')).toMatch(/ctx0 is held/);
      for (const name of ['stop', 'cont']) await within(machine.qmp(name), 5000, name);
      expect(context(machine, 'ctx0')?.heldNs).toBeGreaterThan(0);
      await releaseAndVerify(machine);
      expect(
        await machine.vm.qmp('qom-set', { path: DISK, property: 'context', value: 'ctx1' }),
      ).toMatchObject({
        ok: true,
      });
    }));

  it('a device moves into a held context, and is served there when it goes on', () =>
    withMachine({}, async (machine) => {
      expect(await hold(machine, true, 'ctx1')).toMatchObject({ ok: true });
      machine.send('verify qd 8 count 2000\n');
      await machine.until(() => (queue0(machine)?.requests ?? 0) > 20);
      const move = machine.qmp('qom-set', { path: DISK, property: 'context', value: 'ctx1' });
      await within(move, 5000, 'the move');
      await machine.until(() => queue0(machine)?.waiting === 8);
      expect(await hold(machine, false, 'ctx1')).toMatchObject({ ok: true });
      expect(await machine.expect(/result op=verify[^\n]*\n/)).toContain('errors=0');
    }));

  it('a held context that serves nothing can be deleted, and its successor is not held', () =>
    withMachine({}, async (machine) => {
      expect(await hold(machine, true, 'ctx1')).toMatchObject({ ok: true });
      await within(machine.qmp('object-del', { id: 'ctx1' }), 5000, 'object-del');
      await machine.qmp('object-add', { 'qom-type': 'iothread', id: 'ctx1' });
      expect(context(machine, 'ctx1')?.heldNs).toBeUndefined();
    }));

  it.each(['system_reset', 'quit'])('%s does not wait for it', (command) =>
    withMachine({ drive: ',throttling.iops-total=400' }, async (machine) => {
      await holdUnderLoad(machine, 'loop qd 32');
      const start = performance.now();
      await within(machine.qmp(command), 5000, command);
      if (command === 'quit') {
        expect(await within(machine.vm.ended, 5000, 'the end')).toEqual({ reason: 'host-quit' });
        await machine.stop();
        // The threads had 3 s until they were ended by force.
        expect(performance.now() - start).toBeLessThan(2000);
      } else {
        await machine.expect(/> $/);
        expect(context(machine, 'ctx0')?.heldNs).toBeUndefined();
      }
    }),
  );
});

describe('stepping a held context', () => {
  it('dispatches the kick of the disk, once, and says so', () =>
    withMachine({}, async (machine) => {
      expect(await machine.vm.qmp('x-context-step', { id: 'ctx0' })).toMatchObject({ ok: false });
      await hold(machine, true);
      const kicked = async (): Promise<number> => {
        machine.send('verify qd 4 count 8\n');
        await machine.until(() => queue0(machine)?.waiting === 4);
        return queue0(machine)?.requests ?? 0;
      };
      /** By steps alone the guest gets all it asked for. */
      const finish = async (): Promise<void> => {
        const result = machine.expect(/result op=verify[^\n]*\n/);
        let over = false;
        void result.then(() => (over = true));
        while (!over) {
          await machine.qmp('x-context-step', { id: 'ctx0', unit: 'iteration' });
          await pause(5);
        }
        expect(await result).toContain('errors=0');
      };
      let before = await kicked();
      const step = await machine.qmp('x-context-step', { id: 'ctx0', unit: 'dispatch' });
      expect(step).toMatchObject({
        dispatched: [{ device: 'disk0', driver: 'virtio-blk', queue: 0, ns: expect.any(Number) as number }],
      });
      // A handler goes on as long as the guest adds to its ring.
      expect(queue0(machine)?.requests).toBeGreaterThanOrEqual(before + 4);
      expect(context(machine, 'ctx0')).toMatchObject({ state: 'held' });
      await finish();
      before = await kicked();
      expect(await machine.vm.hmp('x-context-step ctx0')).toMatch(
        /^ctx0 dispatched virtio-blk kick \(disk0\/vq0\), (\d+ µs|[\d.]+ ms|<10 µs)$/m,
      );
      expect(queue0(machine)?.requests).toBeGreaterThanOrEqual(before + 4);
      await finish();
    }));
});
