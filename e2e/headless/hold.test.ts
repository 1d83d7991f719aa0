import { describe, expect, it } from 'vitest';
import { bareMetalFiles, startMachine, type TestMachine, withFolder, within } from './machine.ts';

const DISK = '/machine/peripheral/disk0';
const queue0 = (machine: TestMachine) => machine.vm.board().devices[0]?.queues[0];
const context = (machine: TestMachine, id: string) =>
  machine.vm.board().contexts.find((each) => each.id === id);
const hold = (machine: TestMachine, enable: boolean, id = 'ctx0') =>
  within(machine.vm.qmp('x-context-hold', { id, enable }), 5000, `x-context-hold ${enable}`);
/** Request ids carry slot and queue in their low nine bits (virtqueue.ts). */
const REQUEST_ID_STEP = 512;
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

describe('breakpoints', () => {
  interface Held {
    readonly event: string;
    readonly reason: string;
    readonly breakpoint?: number;
    readonly device?: string;
    readonly queue?: number;
    readonly request?: number;
  }
  /** What CONTEXT_HELD says, in order. */
  const watch = (machine: TestMachine): Held[] => {
    const seen: Held[] = [];
    machine.vm.onEvent(({ event, data }) => {
      if (event === 'CONTEXT_HELD') seen.push(data as unknown as Held);
    });
    return seen;
  };
  const add = async (machine: TestMachine, spec: Readonly<Record<string, unknown>>): Promise<number> =>
    ((await machine.qmp('x-breakpoint-add', spec)) as { id: number }).id;

  it('on the kick holds the context before it dispatches it; then the request is followed stage by stage', () =>
    withMachine({}, async (machine) => {
      const held = watch(machine);
      const id = await add(machine, { event: 'virtio_queue_notify', device: 'disk0' });
      const before = queue0(machine)?.requests ?? 0;
      machine.send('verify qd 4 count 8\n');
      await machine.until(() => held.length === 1);
      expect(held[0]).toMatchObject({
        id: 'ctx0',
        reason: 'breakpoint',
        breakpoint: id,
        event: 'virtio_queue_notify',
        device: 'disk0',
        queue: 0,
      });
      // Precisely before: what was kicked for waits in the ring.
      await pause(100);
      expect(queue0(machine)?.requests).toBe(before);
      expect(queue0(machine)?.waiting).toBeGreaterThan(0);
      expect(context(machine, 'ctx0')).toMatchObject({ state: 'held' });
      await machine.qmp('x-breakpoint-remove', { id });

      // The next stage of a kick is the request it brought, and from then on that request's own.
      await machine.qmp('x-context-step', { id: 'ctx0', unit: 'request' });
      await machine.until(() => held.length === 2);
      expect(held[1]).toMatchObject({ reason: 'step', event: 'virtqueue_pop', device: 'disk0', queue: 0 });
      expect(held[1]?.request).toEqual(expect.any(Number));
      const next = await machine.vm.qmp('x-context-step', { id: 'ctx0', unit: 'request' });
      if (next.ok) {
        await machine.until(() => held.length === 3);
        expect(held[2]).toMatchObject({ reason: 'step', request: held[1]?.request });
      } else {
        expect(next.error.desc).toContain('not in flight');
      }
      await releaseAndVerify(machine);
    }));

  it('a throttled request is seen to wait between its stages', () =>
    withMachine({ drive: ',throttling.iops-total=20', device: ',request-merging=off' }, async (machine) => {
      const held = watch(machine);
      // All of them wait in the ring: it takes them as one batch.
      await hold(machine, true);
      const id = await add(machine, { event: 'virtqueue_pop', context: 'ctx0', queue: 0 });
      const { requests: before = 0 } = queue0(machine) ?? {};
      machine.send('write qd 8 count 30\n');
      await machine.until(() => queue0(machine)?.waiting === 8);
      await hold(machine, false);
      await machine.until(() => held.length === 2);
      expect(held[1]).toMatchObject({ reason: 'breakpoint', breakpoint: id, event: 'virtqueue_pop' });
      await machine.qmp('x-breakpoint-remove', { id });
      // The youngest of those it took has still to be submitted.
      const { request = 0 } = held[1] ?? {};
      const taken = (queue0(machine)?.requests ?? 0) - before;
      // Those, and what the guest submitted when the first was done.
      expect(taken).toBeGreaterThanOrEqual(8);
      const youngest = request + (taken - 1) * REQUEST_ID_STEP;
      await machine.qmp('x-context-step', { id: 'ctx0', unit: 'request', request: youngest });
      await machine.until(() => held.length === 3);
      expect(held[2]).toMatchObject({ reason: 'step', request: youngest, device: 'disk0' });
      expect(held[2]?.event).toMatch(/^(blk_co_|virtio_blk_|virtqueue_fill)/);
      await hold(machine, false);
      expect(await machine.expect(/result op=write[^\n]*\n/)).toContain('errors=0');
    }));

  it('a step runs until an event, and stops there once; info breakpoints lists what was set, with hits', () =>
    withMachine({}, async (machine) => {
      const held = watch(machine);
      await hold(machine, true);
      machine.send('verify qd 8 count 500\n');
      await machine.until(() => queue0(machine)?.waiting === 8);
      await machine.qmp('x-context-step', {
        id: 'ctx0',
        unit: 'until',
        event: 'virtio_notify_irqfd',
        device: 'disk0',
      });
      await machine.until(() => held.length === 2);
      expect(held[1]).toMatchObject({ reason: 'step', event: 'virtio_notify_irqfd', device: 'disk0' });
      expect(await machine.vm.hmp('x-breakpoint-add virtqueue_flush device=disk0,queue=0')).toMatch(
        /^breakpoint \d+/,
      );
      expect(await machine.vm.hmp('info breakpoints')).toMatch(
        /^\d+: virtqueue_flush device=disk0 queue=0, 0 hits/,
      );
      await hold(machine, false);
      await machine.until(() => held.length === 3);
      expect(held[2]).toMatchObject({ reason: 'breakpoint', event: 'virtqueue_flush' });
      const [{ id, hits } = { id: 0, hits: 0 }] = (await machine.qmp('x-query-breakpoints')) as {
        id: number;
        hits: number;
      }[];
      expect(hits).toBeGreaterThan(0);
      await machine.qmp('x-breakpoint-remove', { id });
      await releaseAndVerify(machine);
      expect(await machine.vm.hmp('info breakpoints')).toMatch(/^no breakpoints/);
    }));

  it('stops a context that is just being made, before it does anything', () =>
    withMachine({}, async (machine) => {
      const held = watch(machine);
      await add(machine, { event: 'source_attach' });
      await machine.qmp('object-add', { 'qom-type': 'glib-qcontext', id: 'ctx2', threaded: true });
      await machine.until(() => held.length > 0);
      expect(held[0]).toMatchObject({ id: 'ctx2', event: 'source_attach' });
      await within(machine.qmp('object-del', { id: 'ctx2' }), 5000, 'object-del');
    }));

  it('does not keep a move, a reset or the end from happening', () =>
    withMachine({ drive: ',throttling.iops-total=500' }, async (machine) => {
      machine.send('loop qd 16\n');
      await machine.until(() => (queue0(machine)?.requests ?? 0) > 50);
      await add(machine, { event: 'virtio_blk_req_complete' });
      const held = () => context(machine, 'ctx0')?.heldNs !== undefined;
      await machine.until(held);
      // Released, it goes on for a moment; the move drains through the breakpoint, or is refused while it holds.
      for (let i = 0; i < 10; i++) {
        await hold(machine, false);
        const move = machine.vm.qmp('qom-set', {
          path: DISK,
          property: 'context',
          value: i % 2 ? 'ctx0' : 'ctx1',
        });
        const { ok, ...reply } = await within(move, 5000, 'the move');
        if (!ok)
          expect(reply).toMatchObject({ error: { desc: expect.stringContaining('is held') as string } });
        for (const id of ['ctx0', 'ctx1']) await hold(machine, false, id);
      }
      await within(machine.qmp('system_reset'), 5000, 'system_reset');
      await within(machine.qmp('quit'), 5000, 'quit');
      expect(await within(machine.vm.ended, 5000, 'the end')).toEqual({ reason: 'host-quit' });
    }));

  it('says what it can’t be set on', () =>
    withMachine({}, async (machine) => {
      const why = async (spec: Readonly<Record<string, unknown>>): Promise<string> => {
        const reply = await machine.vm.qmp('x-breakpoint-add', spec);
        return reply.ok ? 'it can' : reply.error.desc;
      };
      expect(await why({ event: 'virtqueue_pup' })).toBe('unknown event "virtqueue_pup"');
      expect(await why({ event: 'context_hold' })).toContain("can't hold a context");
      expect(await why({ event: 'hart_wfi_begin' })).toContain("can't hold a context");
      expect(await why({ event: 'plic_claim', queue: 0 })).toContain('does not say which queue');
      expect(await why({ event: 'virtqueue_pop', context: 'main' })).toContain("'main' can't be held");
      expect(await why({ event: 'virtqueue_pop', device: 'disk7' })).toContain("'disk7' not found");
      await machine.qmp('qom-set', { path: DISK, property: 'context', value: 'main' });
      expect(await why({ event: 'virtqueue_pop', device: 'disk0' })).toContain('served by main');
      for (let i = 0; i < 16; i++) await add(machine, { event: 'virtqueue_pop' });
      expect(await why({ event: 'virtqueue_pop' })).toContain('at most 16');
    }));
});
