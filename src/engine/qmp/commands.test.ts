import { describe, expect, it } from 'vitest';
import { traceEventByName } from '../trace/schema.ts';
import { DISK, startMonitor } from './testing.ts';

/** Runs one command; throws on an error. */
async function started(text?: string) {
  const all = await startMonitor(text);
  const run = async (name: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    const reply = await all.monitor.execute(name, args);
    if (!reply.ok) throw new Error(reply.error.desc);
    return reply.value;
  };
  return { ...all, run };
}

describe('the commands', () => {
  it('all of the list are there', async () => {
    const { run } = await started();
    const names = ((await run('query-commands')) as { name: string }[]).map(({ name }) => name);
    const wanted =
      'qmp_capabilities query-commands query-version query-status stop cont quit system_reset system_powerdown query-iothreads query-cpus-fast qom-list qom-get qom-set qom-list-types qom-list-properties object-add object-del device_add device_del blockdev-add blockdev-del block_resize block_set_io_throttle query-block query-blockstats block-latency-histogram-set x-blockdev-set-iothread x-query-virtio x-query-virtio-status x-query-virtio-queue-status x-query-virtio-queue-element trace-event-get-state trace-event-set-state human-monitor-command';
    expect(names).toEqual(expect.arrayContaining(wanted.split(' ')));
  });

  it('what is refused says what is possible', async () => {
    const { monitor } = await started();
    const hint = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
      const reply = await monitor.execute(name, args);
      if (reply.ok) throw new Error(`${name} was not refused`);
      return reply.error.hint ?? '';
    };
    expect(await hint('qom-set', { path: DISK })).toBe(
      'It takes path: string, property: string, value: any value.',
    );
    expect(await hint('stop', { now: true })).toBe('It takes no arguments.');
    await monitor.execute('object-add', { 'qom-type': 'iothread', id: 't1' });
    expect(await hint('object-add', { 'qom-type': 'iothread', id: 't1' })).toMatch(
      /another id\. Taken: main, .*t1\.$/,
    );
    expect(await hint('query-cpus')).toBe("Did you mean 'query-cpus-fast'?");
    expect(await hint('savevm')).toContain('human-monitor-command');
    expect(await hint('qom-list', { path: '/machine/peripheral/disk9' })).toBe(
      'In /machine/peripheral there is: disk0.',
    );
    expect(await hint('qom-list', { path: '/machine/disk0' })).toBe(`Did you mean '${DISK}'?`);
    expect(await hint('x-blockdev-set-iothread', { 'node-name': 'd9', iothread: 't1' })).toContain(
      'query-named-block-nodes',
    );
  });

  it('status, stop, cont, reset', async () => {
    const { run, monitor, machine } = await started();
    const events: string[] = [];
    monitor.onEvent(({ event }) => events.push(event));
    expect(await run('query-status')).toEqual({ status: 'running', running: true });
    await run('stop');
    expect(await run('query-status')).toEqual({ status: 'paused', running: false });
    await run('cont');
    await run('system_reset');
    await run('system_powerdown');
    expect(events).toEqual(['STOP', 'RESUME', 'RESET', 'POWERDOWN']);
    machine.state = 'guest-panicked';
    await expect(run('cont')).rejects.toThrow('Resetting the Virtual Machine is required');
  });

  it('event loops', async () => {
    const { run } = await started();
    const loop = { 'poll-max-ns': 32768, 'poll-grow': 0, 'poll-shrink': 0, 'aio-max-batch': 0 };
    expect(await run('query-iothreads')).toEqual([
      { id: 'ctx0', 'thread-id': 101, ...loop },
      { id: 't1', 'thread-id': 102, ...loop },
    ]);
    await run('qom-set', { path: '/objects/t1', property: 'poll-max-ns', value: 0 });
    expect(await run('query-iothreads')).toMatchObject([{}, { 'poll-max-ns': 0 }]);
    expect(await run('x-query-contexts')).toMatchObject([
      { id: 'main' },
      { id: 'ctx0', 'qom-type': 'glib-qcontext' },
      { id: 't1' },
    ]);
  });

  it('moving by node', async () => {
    const { run, machine } = await started();
    expect(await run('x-blockdev-set-iothread', { 'node-name': 'd0', iothread: 't1' })).toMatchObject({
      from: 'ctx0',
      to: 't1',
    });
    await run('x-blockdev-set-iothread', { 'node-name': 'd0', iothread: null });
    expect(machine.calls).toEqual([`moveDevice ${DISK} * ctx0 -> t1`, `moveDevice ${DISK} * t1 -> main`]);
    await run('blockdev-add', { driver: 'null-co', 'node-name': 'n' });
    await expect(run('x-blockdev-set-iothread', { 'node-name': 'n', iothread: 't1' })).rejects.toThrow(
      'not used by a device',
    );
    await expect(run('x-blockdev-set-iothread', { 'node-name': 'q', iothread: 't1' })).rejects.toThrow(
      "node-name='q'",
    );
    await expect(run('x-blockdev-set-iothread', { 'node-name': 'd0', iothread: 'q' })).rejects.toThrow(
      "Event loop 'q' not found",
    );
    await expect(run('x-blockdev-set-iothread', { 'node-name': 'd0', iothread: 7 })).rejects.toThrow(
      'expected: string or null',
    );
  });

  it('a disk comes and goes', async () => {
    const { run } = await started();
    await run('blockdev-add', {
      driver: 'raw',
      'node-name': 'n',
      file: { driver: 'file', filename: 'x.img' },
    });
    await run('device_add', {
      driver: 'virtio-blk',
      id: 'k',
      drive: 'n',
      'num-queues': '2',
      'iothread-vq-mapping': [{ iothread: 'ctx0' }, { iothread: 't1' }],
    });
    expect(await run('qom-get', { path: '/machine/peripheral/k/virtqueue[1]', property: 'context' })).toBe(
      't1',
    );
    await expect(run('blockdev-del', { 'node-name': 'n' })).rejects.toThrow("in use by device 'k'");
    await run('device_del', { id: 'k' });
    await run('blockdev-del', { 'node-name': 'n' });
    expect(await run('query-block')).toMatchObject([{ device: 'd0' }]);
  });

  it('query-block and query-blockstats, and what changes them', async () => {
    const { run, machine } = await started();
    await run('block_resize', { device: 'd0', size: 2 ** 21 });
    await run('block_set_io_throttle', {
      id: 'disk0',
      bps: 1000,
      bps_rd: 0,
      bps_wr: 0,
      iops: 0,
      iops_rd: 0,
      iops_wr: 0,
    });
    expect(await run('query-block')).toMatchObject([
      {
        device: 'd0',
        qdev: 'disk0',
        'io-status': 'ok',
        inserted: { file: 'disk.img', ro: false, drv: 'raw', bps: 1000, image: { 'virtual-size': 2 ** 21 } },
      },
    ]);
    expect(await run('query-blockstats')).toMatchObject([
      { device: 'd0', qdev: 'disk0', stats: { rd_bytes: 0 } },
    ]);
    await run('block-latency-histogram-set', { id: 'disk0', boundaries: [1000, 2000] });
    expect(machine.calls).toEqual([
      'blockResize d0 2097152',
      'blockSetThrottle d0 {"bps-total":1000} -',
      'blockSetLatencyHistogram d0 {"read":[1000,2000],"write":[1000,2000],"flush":[1000,2000]}',
    ]);
  });

  const zero = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  it.each([
    ['block_resize', { device: 'd0', size: 1000 }, 'multiple of 512 bytes'],
    ['block_resize', { device: 'q', size: 1024 }, "Cannot find device='q'"],
    ['block_resize', { size: 1024 }, "exactly one of 'device' and 'node-name'"],
    ['block_set_io_throttle', { id: 'disk0', bps: 1, ...zero, bps_rd: 1 }, 'cannot be used at the same time'],
    [
      'block_set_io_throttle',
      { id: 'disk0', bps: -1, ...zero },
      "'bps' expects a value that is not negative",
    ],
    ['block_set_io_throttle', { bps: 1, ...zero }, "exactly one of 'device' and 'id'"],
    ['block-latency-histogram-set', { id: 'd0', boundaries: [5, 5] }, 'ascending'],
    ['block-latency-histogram-set', { id: 'd0', boundaries: 'x' }, 'expected: array of integers'],
    ['qom-list-properties', { typename: 'nope' }, "Class 'nope' not found"],
    ['x-query-virtio-status', { path: '/objects/main' }, 'is not a VirtIODevice'],
    ['x-query-virtio-queue-status', { path: DISK, queue: 9 }, 'Invalid virtqueue number 9'],
    ['x-query-virtio-queue-element', { path: DISK, queue: 0, index: 999 }, 'has no element 999'],
    ['trace-event-set-state', { name: 'nope', enable: true }, 'unknown event "nope"'],
    ['chardev-add', { id: 'c', backend: { type: 'pty' } }, "'pty' is not a valid char driver name"],
    ['netdev_add', { type: 'tap', id: 'n' }, "does not accept value 'tap'"],
    ['device_add', { driver: 'virtio-blk', drive: 'd0', id: 'x' }, "already in use by device 'disk0'"],
    ['blockdev-add', { driver: 'raw', 'node-name': 'a', file: 'a' }, 'Cyclic reference'],
    ['blockdev-add', { driver: 'null-co', 'node-name': 'd0' }, 'Duplicate'],
  ])('%s %j is refused', async (name, args, message) => {
    const { run, machine } = await started();
    await expect(run(name, args)).rejects.toThrow(message);
    expect(machine.calls).toEqual([]);
  });

  it('types and their properties', async () => {
    const { run } = await started();
    expect(await run('qom-list-types', { implements: 'qcontext' })).toEqual([
      { name: 'glib-qcontext', parent: 'qcontext' },
      { name: 'iothread', parent: 'qcontext' },
    ]);
    expect(await run('qom-list-types', { implements: 'qcontext', abstract: true })).toHaveLength(3);
    expect(await run('qom-list-properties', { typename: 'iothread' })).toMatchObject([
      { name: 'poll-max-ns', type: 'int', 'default-value': 32768 },
      {},
      {},
      {},
    ]);
  });

  it('virtio state', async () => {
    const { run } = await started();
    expect(await run('x-query-virtio')).toEqual([
      { path: DISK, name: 'virtio-blk' },
      { path: '/machine/peripheral-anon/device[0]', name: 'virtio-rng' },
    ]);
    expect(await run('x-query-virtio-status', { path: DISK })).toMatchObject({
      name: 'virtio-blk',
      'num-vqs': 2,
      status: {
        statuses: [
          'VIRTIO_CONFIG_S_ACKNOWLEDGE',
          'VIRTIO_CONFIG_S_DRIVER',
          'VIRTIO_CONFIG_S_DRIVER_OK',
          'VIRTIO_CONFIG_S_FEATURES_OK',
        ],
      },
      'guest-features': {
        transports: expect.arrayContaining(['VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_F_VERSION_1']),
      },
    });
    expect(await run('x-query-virtio-queue-status', { path: 'disk0', queue: 1 })).toMatchObject({
      'queue-index': 1,
      context: 'ctx0',
      'vring-num': 256,
    });
    expect(await run('x-query-virtio-queue-element', { path: DISK, queue: 0 })).toMatchObject({
      name: 'virtio-blk',
      index: 0,
    });
  });

  it('trace events by name and by pattern', async () => {
    const { run, machine } = await started();
    expect(traceEventByName('aio_notify')?.enabled).toBe(false);
    await run('trace-event-set-state', { name: 'aio_*', enable: true });
    expect(machine.traceEventEnabled('aio_notify')).toBe(true);
    expect(await run('trace-event-get-state', { name: 'aio_notify' })).toEqual([
      { name: 'aio_notify', vcpu: false, state: 'enabled' },
    ]);
    expect(await run('trace-event-get-state', { name: 'nothing*' })).toEqual([]);
  });

  it('every reply is JSON', async () => {
    const { run } = await started();
    for (const name of [
      'query-version',
      'query-cpus-fast',
      'query-block',
      'query-blockstats',
      'x-query-contexts',
      'query-chardev',
      'query-kvm',
      'query-named-block-nodes',
      'query-memory-size-summary',
    ])
      expect(JSON.parse(JSON.stringify(await run(name)))).toBeDefined();
  });
});

describe('HMP', () => {
  const hmp = async (line: string) => {
    const { monitor, machine } = await startMonitor();
    return { text: await monitor.hmp(line), machine };
  };

  it.each([
    ['info status', 'VM status: running'],
    ['info version', 'QContext Playground'],
    ['info name', 'box'],
    ['info iothreads', 'ctx0:\r\n  thread_id=101\r\n  poll-max-ns=32768'],
    ['info contexts', 'main: glib-qcontext, thread 100'],
    ['info contexts', '  devices: disk0\r\n'],
    ['info qtree', '  dev: virtio-blk-device, id "disk0"'],
    ['info qtree', 'virtqueue[1]: context "ctx0"'],
    ['info qom-tree', '    /disk0 (virtio-blk-device)\r\n      /virtqueue[0] (virtqueue)'],
    ['info qom-tree /objects', '/objects (container)\r\n  /main (glib-qcontext)'],
    ['info block', 'd0: disk.img (raw), 1048576 bytes\r\n    Attached to:      disk0'],
    ['info blockstats', 'd0: rd_bytes=0 wr_bytes=0'],
    ['info virtio', `${DISK} [virtio-blk]`],
    ['info virtio-status disk0', 'VIRTIO_BLK_F_FLUSH'],
    ['info virtio-queue-status disk0 1', 'last_avail_idx:       5'],
    ['info virtio-queue-status disk0 7', 'Error: Invalid virtqueue number 7'],
    ['info cpus', 'CPU #0: thread_id=200 running'],
    ['info registers', 'pc       0000000080200000'],
    ['info registers 3', 'Error: no hart 3'],
    ['info trace-events virtqueue_p', 'virtqueue_pop : state 1'],
    ['info mtree', '0000000080000000-000000008fffffff (prio 0, ram): ram'],
    ['info snapshots', 'Error: this machine has no snapshots'],
    ['savevm a', 'Error: this machine has no snapshots'],
    ['info', 'info qtree'],
    ['info foo', "unknown command: 'info foo'"],
    ['foo', "unknown command: 'foo'"],
    ['stip', "Did you mean 'stop'?"],
    ['help', 'qom-set path property value'],
    ['help info', 'info contexts'],
    ['? qom-set', 'moves a device to another event loop'],
    ['qom-list /objects', 'ctx0 (child<glib-qcontext>)'],
    ['qom-get disk0 context', '"ctx0"'],
    ['qom-get disk0 nope', "Error: Property 'virtio-blk-device.nope' not found"],
    ['qom-set disk0', 'too few arguments: qom-set path property value'],
    ['stop now', 'too many arguments: stop|s'],
    ['device_add virtio-blk,drive=nope', "Error: Property 'virtio-blk-device.drive' can't find value 'nope'"],
    [
      'object_del ctx0',
      "Error: object 'ctx0' is in use by device 'disk0', can not be deleted\r\nMove what it runs first",
    ],
    ['trace-event nope on', 'Error: unknown event "nope"'],
    ["qom-get 'disk0", 'unterminated string'],
    ['block_resize d0 10X', "Error: invalid size '10X'"],
  ])('%s', async (line, expected) => {
    expect((await hmp(line)).text).toContain(expected);
  });

  it.each([
    [
      'qom-set disk0 context t1',
      [`moveDevice ${DISK} * ctx0 -> t1`],
      'moved from ctx0 to t1: 3 requests were in flight, 0.25 ms without service\r\n',
    ],
    ['x-blockdev-set-iothread d0 main', [`moveDevice ${DISK} * ctx0 -> main`], ''],
    ['qom-set /objects/t1 poll-max-ns 7', ['configureContext t1 poll-max-ns=7'], ''],
    ['object_add iothread,id=t9', ['createContext t9'], ''],
    ['device_add virtio-rng,id=r,context=t1', ['realizeDevice /machine/peripheral/r t1'], ''],
    ['drive_add 0 file=y.img,if=none,id=y', ['blockAdd y'], 'OK\r\n'],
    ['block_resize d0 2', ['blockResize d0 2097152'], ''],
    ['block_set_io_throttle disk0 0 0 0 5 0 0', ['blockSetThrottle d0 {"iops-total":5} -'], ''],
    ['s', ['stop'], ''],
    ['c', ['cont'], ''],
    ['q', ['quit'], ''],
    ['', [], ''],
  ])('%s does it', async (line, calls, printed) => {
    const { text, machine } = await hmp(line);
    expect(machine.calls).toEqual(calls);
    expect(text).toBe(printed);
  });

  it.each([
    ['', 'info'],
    ['qom-', 'qom-set'],
    ['info io', 'iothreads'],
    ['qom-get /machine/peripheral/d', DISK],
    [`qom-get ${DISK} con`, 'context'],
    [`qom-set ${DISK} context `, 't1'],
    ['device_del ', 'disk0'],
    ['object_del ', 'ctx0'],
    ['block_resize ', 'd0'],
    ['trace-event virtq', 'virtqueue_pop'],
    ['trace-event virtqueue_pop o', 'off'],
    ['device_add virtio-b', 'virtio-blk'],
    ['info virtio-status /mach', DISK],
  ])('completes %j', async (line, candidate) => {
    const { monitor } = await startMonitor();
    expect(monitor.completeHmp(line)).toContain(candidate);
  });
});
