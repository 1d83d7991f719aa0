import { describe, expect, it } from 'vitest';
import { ObjectModel } from './object-model.ts';
import { QomObject, resolvePath } from './object.ts';
import type { DeviceConfig, MachineConfig, ObjectConfig } from './options/config.ts';
import { parseCommandLine } from './options/parse.ts';
import { splitCommandLine } from './options/shell.ts';
import { FakeMachine } from './testing/fake-machine.ts';

function config(text: string): MachineConfig {
  const parsed = parseCommandLine(splitCommandLine(text).words.map((word) => word.value));
  if (!parsed.ok) throw new Error(parsed.error.desc);
  if (parsed.value.kind !== 'run') throw new Error(`a ${parsed.value.kind}`);
  return parsed.value.config;
}

async function started(text: string) {
  const machine = new FakeMachine();
  const model = new ObjectModel(machine, config(text));
  const populated = await model.populate();
  if (!populated.ok) throw new Error(populated.error.desc);
  machine.calls.length = 0;
  return { machine, model };
}

const iothread = (id: string): ObjectConfig => ({ type: 'iothread', id, props: {} });
const rng = (id: string): DeviceConfig => ({ driver: 'virtio-rng-device', id, props: {} });

const LINE =
  '-object glib-qcontext,id=ctx0,threaded=yes -object iothread,id=t1 -drive file=disk.img,if=none,id=d0,format=raw -device virtio-blk,id=disk0,drive=d0,num-queues=2,context=ctx0';
const DISK = '/machine/peripheral/disk0';

describe('the composition tree', () => {
  it('paths: absolute, partial, unnamed and numbered children', () => {
    const root = new QomObject('container');
    const a = root.addChild(new QomObject('container'), 'a');
    const first = a.addChild(new QomObject('x'));
    const second = a.addChild(new QomObject('x'));
    const port = a.addChild(new QomObject('x'), 'port[*]');
    expect([first.path, second.path, port.path]).toEqual(['/a/unnamed[0]', '/a/unnamed[1]', '/a/port[0]']);
    first.unparent();
    expect(a.addChild(new QomObject('y')).path).toBe('/a/unnamed[0]');
    expect(resolvePath(root, 'a/port[0]')).toEqual({ ok: true, value: port });
    expect(resolvePath(root, 'port[0]')).toEqual({ ok: true, value: port });
    expect(resolvePath(root, '/')).toEqual({ ok: true, value: root });
    root.addChild(new QomObject('container'), 'b').addChild(new QomObject('x'), 'port[*]');
    const ambiguous = resolvePath(root, 'port[0]');
    expect(!ambiguous.ok && ambiguous.error).toMatchObject({
      class: 'DeviceNotFound',
      desc: "Path 'port[0]' is ambiguous",
      hint: 'It could be /a/port[0] or /b/port[0].',
    });
  });

  it('a child in use can not be taken out, and a name can not be given twice', () => {
    const root = new QomObject('container');
    const child = root.addChild(new QomObject('x'), 'c');
    const release = child.ref('somebody');
    expect(() => child.unparent()).toThrow('in use by somebody');
    expect(() => root.addChild(new QomObject('x'), 'c')).toThrow('has a property c');
    release();
    release();
    child.unparent();
    expect(root.children.size).toBe(0);
  });

  it('of a machine', async () => {
    const { model } = await started(`${LINE} -device virtio-rng -device virtio-rng`);
    const paths = [...model.root.subtree()].map((object) => object.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        '/objects/main',
        '/objects/ctx0',
        '/objects/t1',
        DISK,
        `${DISK}/virtqueue[1]`,
        '/machine/peripheral-anon/device[0]',
        '/machine/peripheral-anon/device[1]',
        '/block/d0',
      ]),
    );
  });
});

describe('making what a command line names', () => {
  it('in order: every object has its properties before the first is completed; devices come last', async () => {
    const machine = new FakeMachine();
    const model = new ObjectModel(machine, config(LINE));
    const seen: unknown[] = [];
    const { createContext } = machine;
    machine.createContext = async (spec) => {
      seen.push([spec.id, await model.qomGet('/objects/t1', 'poll-max-ns')]);
      return createContext.call(machine, spec);
    };
    expect(await model.populate()).toEqual({ ok: true, value: undefined });
    // t1 was in the tree with its properties when ctx0, before it, was completed.
    expect(seen[0]).toEqual(['ctx0', { ok: true, value: 32768 }]);
    expect(machine.calls).toEqual([
      'createContext ctx0',
      'createContext t1',
      'blockAdd d0',
      `realizeDevice ${DISK} ctx0,ctx0`,
    ]);
  });

  it('what fails half-way is taken down again, last first, and named', async () => {
    const machine = new FakeMachine();
    machine.refuse.add('realizeDevice');
    const model = new ObjectModel(machine, config(LINE));
    const populated = await model.populate();
    expect(!populated.ok && populated.error.desc).toMatch(
      /^-device virtio-blk-device,id=disk0,.*: the machine refuses/,
    );
    expect(machine.calls.slice(4)).toEqual(['blockDel d0', 'deleteContext t1', 'deleteContext ctx0']);
    expect(model.qomList('/objects')).toMatchObject({
      ok: true,
      value: [{ name: 'type' }, { name: 'main' }],
    });
  });

  it('an object that is created but not completed is not deleted in the machine', async () => {
    const machine = new FakeMachine();
    machine.refuse.add('createContext t1');
    const model = new ObjectModel(machine, config(LINE));
    expect((await model.populate()).ok).toBe(false);
    expect(machine.calls).toEqual(['createContext ctx0', 'createContext t1', 'deleteContext ctx0']);
  });

  it('block nodes are opened once, by the one on top', async () => {
    const { machine, model } = await started(
      '-object throttle-group,id=g,x-bps-total=1M -blockdev throttle,node-name=t,throttle-group=g,file=r -blockdev raw,node-name=r,file.driver=file,file.filename=x -device virtio-blk,drive=t,id=k',
    );
    expect(await machine.blocks()).toMatchObject([{ id: 't', filename: 'x' }]);
    const group = await model.objectDel('g');
    expect(!group.ok && group.error.desc).toContain("in use by node 't'");
    machine.calls.length = 0;
    await model.qomSet('/objects/g', 'x-bps-total', 5000);
    expect(machine.calls).toEqual(['blockSetThrottle t {"bps-total":5000} g']);
  });
});

describe('object-add and object-del', () => {
  it('comes and goes', async () => {
    const { machine, model } = await started('');
    expect((await model.objectAdd(iothread('t9'))).ok).toBe(true);
    expect((await model.objectDel('t9')).ok).toBe(true);
    expect(machine.calls).toEqual(['createContext t9', 'deleteContext t9']);
  });

  it.each([
    ['ctx0', "object 'ctx0' is in use by device 'disk0', can not be deleted"],
    ['main', "object 'main' is the main loop and can not be deleted"],
    ['nope', "object 'nope' not found"],
  ])('%s is refused', async (id, desc) => {
    const { machine, model } = await started(LINE);
    const deleted = await model.objectDel(id);
    expect(!deleted.ok && deleted.error.desc).toBe(desc);
    expect(machine.calls).toEqual([]);
  });

  it('a duplicate id is refused', async () => {
    const { model } = await started(LINE);
    const added = await model.objectAdd(iothread('ctx0'));
    expect(!added.ok && added.error.desc).toContain("duplicate property 'ctx0'");
  });

  it('an object whose completion fails leaves nothing', async () => {
    const { machine, model } = await started('');
    machine.refuse.add('createContext');
    expect((await model.objectAdd(iothread('t9'))).ok).toBe(false);
    machine.refuse.clear();
    expect((await model.objectAdd(iothread('t9'))).ok).toBe(true);
  });
});

describe('moving a device', () => {
  it('qom-set context: reports, follows with its references, tells', async () => {
    const { machine, model } = await started(LINE);
    const events: unknown[] = [];
    model.onEvent((event, data) => events.push([event, data]));
    expect(await model.qomSet(DISK, 'context', 't1')).toEqual({
      ok: true,
      value: { device: DISK, queue: null, from: 'ctx0', to: 't1', inFlight: 3, downtimeNs: 250_000 },
    });
    expect(machine.calls).toEqual([`moveDevice ${DISK} * ctx0 -> t1`]);
    expect(await model.qomGet(DISK, 'iothread')).toEqual({ ok: true, value: 't1' });
    expect((await model.objectDel('ctx0')).ok).toBe(true);
    expect((await model.objectDel('t1')).ok).toBe(false);
    expect(events).toEqual([
      [
        'DEVICE_CONTEXT_CHANGED',
        { device: 'disk0', path: DISK, from: 'ctx0', to: 't1', 'in-flight': 3, 'downtime-ns': 250_000 },
      ],
    ]);
  });

  it('to where it is: a success that nobody is told of; together from two loops is a move', async () => {
    const { model } = await started(LINE);
    const events: unknown[] = [];
    model.onEvent((event) => events.push(event));
    expect((await model.qomSet(DISK, 'context', 'ctx0')).ok).toBe(true);
    expect((await model.qomSet(`${DISK}/virtqueue[1]`, 'context', 'ctx0')).ok).toBe(true);
    expect(events).toEqual([]);
    await model.qomSet(`${DISK}/virtqueue[1]`, 'context', 't1');
    await model.qomSet(DISK, 'context', 'ctx0');
    expect(events.length).toBe(2);
  });

  it('one virtqueue of two', async () => {
    const { model } = await started(LINE);
    expect((await model.qomSet(`${DISK}/virtqueue[1]`, 'context', '/objects/t1')).ok).toBe(true);
    expect(await model.qomGet(DISK, 'context')).toEqual({ ok: true, value: '' });
    expect(await model.qomGet(DISK, 'iothread-vq-mapping')).toEqual({
      ok: true,
      value: [
        { iothread: 'ctx0', vqs: [0] },
        { iothread: 't1', vqs: [1] },
      ],
    });
    for (const id of ['ctx0', 't1']) expect((await model.objectDel(id)).ok).toBe(false);
  });

  it('refused by the machine: everything is as before', async () => {
    const { machine, model } = await started(LINE);
    machine.refuse.add('moveDevice');
    expect((await model.qomSet(DISK, 'context', 't1')).ok).toBe(false);
    expect(await model.qomGet(DISK, 'context')).toEqual({ ok: true, value: 'ctx0' });
    expect((await model.objectDel('t1')).ok).toBe(true);
    expect((await model.objectDel('ctx0')).ok).toBe(false);
  });

  it.each([
    ['nope', "Event loop 'nope' not found"],
    ['d0', "Event loop 'd0' not found"],
    [7, "Invalid parameter type for 'context', expected: string"],
  ])('to %s is refused before the machine is asked', async (to, desc) => {
    const { machine, model } = await started(LINE);
    const moved = await model.qomSet(DISK, 'context', to);
    expect(!moved.ok && moved.error.desc).toBe(desc);
    expect(machine.calls).toEqual([]);
  });

  it('changes wait their turn', async () => {
    const { machine, model } = await started(LINE);
    const results = await Promise.all([
      model.qomSet(DISK, 'context', 't1'),
      model.objectDel('ctx0'),
      model.qomSet(DISK, 'context', 'ctx0'),
    ]);
    expect(results.map((result) => result.ok)).toEqual([true, true, false]);
    expect(machine.calls).toEqual([`moveDevice ${DISK} * ctx0 -> t1`, 'deleteContext ctx0']);
  });
});

describe('properties', () => {
  it('live ones reach the machine, others are refused with those that are', async () => {
    const { machine, model } = await started(LINE);
    expect(await model.qomSet('/objects/t1', 'poll-max-ns', 5)).toEqual({ ok: true, value: undefined });
    expect(machine.calls).toEqual(['configureContext t1 poll-max-ns=5']);
    expect(await model.qomGet('/objects/t1', 'poll-max-ns')).toEqual({ ok: true, value: 5 });
    const refused = await model.qomSet('/objects/ctx0', 'threaded', false);
    expect(!refused.ok && refused.error.hint).toContain('poll-max-ns');
    const typed = await model.qomSet('/objects/t1', 'poll-max-ns', 'x');
    expect(!typed.ok && typed.error.desc).toContain("'poll-max-ns' expects an integer");
  });

  it.each([
    ['/objects/t1', 'poll-max', "Property 'iothread.poll-max' not found"],
    ['/nope', 'x', "Device '/nope' not found"],
  ])('%s %s', async (path, name, desc) => {
    const { model } = await started(LINE);
    const got = await model.qomGet(path, name);
    expect(!got.ok && got.error.desc).toBe(desc);
  });
});

describe('devices come and go', () => {
  it('device_add, device_del, the event', async () => {
    const { machine, model } = await started(LINE);
    const events: unknown[] = [];
    model.onEvent((event, data) => events.push([event, data]));
    expect((await model.deviceAdd(rng('r'))).ok).toBe(true);
    expect((await model.deviceDel('r')).ok).toBe(true);
    expect(machine.calls).toEqual([
      'realizeDevice /machine/peripheral/r main',
      'unrealizeDevice /machine/peripheral/r',
    ]);
    expect(events).toEqual([['DEVICE_DELETED', { device: 'r', path: '/machine/peripheral/r' }]]);
  });

  it.each([
    [{ driver: 'virtio-blk-device', id: 'x', props: { drive: 'd0' } }, "already in use by device 'disk0'"],
    [{ driver: 'virtio-blk-device', id: 'x', props: { drive: 'q' } }, "can't find value 'q'"],
    [{ driver: 'virtio-rng-device', id: 'disk0', props: {} }, "Duplicate device ID 'disk0'"],
    [{ driver: 'virtio-rng-device', id: 'x', props: { context: 'q' } }, "Event loop 'q' not found"],
  ] as const)('%j is refused', async (device, desc) => {
    const { machine, model } = await started(LINE);
    const added = await model.deviceAdd(device);
    expect(!added.ok && added.error.desc).toContain(desc);
    expect(machine.calls).toEqual([]);
  });

  it('a bus with ports can not be removed', async () => {
    const { model } = await started(
      '-device virtio-serial,id=vs -chardev vc,id=c -device virtconsole,chardev=c,id=con',
    );
    const deleted = await model.deviceDel('vs');
    expect(!deleted.ok && deleted.error.desc).toBe("device 'vs' is in use by device 'con'");
    expect((await model.deviceDel('con')).ok).toBe(true);
    expect((await model.deviceDel('vs')).ok).toBe(true);
    expect((await model.chardevRemove('c')).ok).toBe(true);
  });
});

describe('block nodes come and go', () => {
  it('a node on top takes the image over, and gives it back', async () => {
    const { machine, model } = await started('');
    const file = { driver: 'file', nodeName: 'f', filename: 'x' } as const;
    const common = { readOnly: false, discard: 'ignore', cache: { direct: false, noFlush: false } } as const;
    const raw = { ...common, driver: 'raw', nodeName: 'r', file: 'f', offset: 0, size: undefined } as const;
    expect((await model.blockdevAdd([{ ...common, ...file }])).ok).toBe(true);
    expect((await model.blockdevAdd([raw])).ok).toBe(true);
    const below = await model.blockdevDel('f');
    expect(!below.ok && below.error.desc).toBe("Node 'f' is in use by node 'r'");
    expect((await model.blockdevDel('r')).ok).toBe(true);
    expect(machine.calls).toEqual(['blockAdd f', 'blockDel f', 'blockAdd r', 'blockDel r', 'blockAdd f']);
    machine.refuse.add('blockAdd r');
    expect((await model.blockdevAdd([raw])).ok).toBe(false);
    expect((await machine.blocks()).map((block) => block.id)).toEqual(['f']);
  });
});
