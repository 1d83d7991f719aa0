import { describe, expect, it } from 'vitest';
import type { UserError } from '../../base/result.ts';
import type { MachineConfig } from './config.ts';
import { parseCommandLine } from './parse.ts';
import { deviceSpec } from './resolve.ts';
import { splitCommandLine } from './shell.ts';

const words = (text: string) => splitCommandLine(text).words.map((word) => word.value);

function config(text: string): MachineConfig {
  const parsed = parseCommandLine(words(text));
  if (!parsed.ok) throw new Error(parsed.error.desc);
  if (parsed.value.kind !== 'run') throw new Error(`a ${parsed.value.kind}`);
  return parsed.value.config;
}

function failure(text: string): UserError & { readonly at: string } {
  const argv = words(text);
  const parsed = parseCommandLine(argv);
  if (parsed.ok) throw new Error(`accepted: ${text}`);
  const { argIndex, span } = parsed.error;
  if (argIndex === undefined || span === undefined) throw new Error(`no place: ${parsed.error.desc}`);
  return { ...parsed.error, at: (argv[argIndex] ?? '').slice(span[0], span[1]) };
}

describe("the RFC's command lines", () => {
  const rest =
    '-drive file=disk.img,if=none,id=drive0,format=raw,cache=none,aio=native -device virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx0';

  it.each([
    '-object glib-qcontext,id=ctx0,threaded=yes',
    '-context ctx0,threaded=yes,backend=default',
    '-context ctx0,threaded=yes,backend=glib',
  ])('%s', (first) => {
    const { objects, drives, devices } = config(`${first} ${rest}`);
    expect(objects).toEqual([{ type: 'glib-qcontext', id: 'ctx0', props: { threaded: true } }]);
    expect(drives[0]).toMatchObject({
      id: 'drive0',
      interface: 'none',
      protocol: { driver: 'file', filename: 'disk.img' },
      cache: { writeback: true, direct: true, noFlush: false },
      aio: 'native',
    });
    expect(devices).toEqual([
      {
        driver: 'virtio-blk-device',
        id: undefined,
        props: { drive: 'drive0', scsi: false, 'x-data-plane': true, context: 'ctx0' },
      },
    ]);
  });
});

describe('good command lines', () => {
  it('an empty one is the default machine', () => {
    expect(config('')).toMatchObject({
      smp: 1,
      memoryBytes: 256 * 2 ** 20,
      accel: { type: 'tcg', jit: true },
    });
  });

  it('machine, memory, harts, boot files', () => {
    const got = config(
      '-machine virt,accel=tcg -accel tcg,jit=off -cpu rv64,sstc=off -smp 2 -m 512M -bios fw.bin -kernel Image -initrd i.gz -dtb b.dtb -append "root=/dev/vda ro" -name guest=box -S -no-reboot -snapshot',
    );
    expect(got).toMatchObject({
      accel: { type: 'tcg', jit: false },
      cpu: { model: 'rv64', features: { sstc: false } },
      smp: 2,
      memoryBytes: 512 * 2 ** 20,
      boot: { bios: 'fw.bin', kernel: 'Image', initrd: 'i.gz', dtb: 'b.dtb', append: 'root=/dev/vda ro' },
      name: 'box',
      paused: true,
      noReboot: true,
      noShutdown: false,
      snapshot: true,
    });
  });

  it.each([
    ['-m 256', 256],
    ['-m 1G', 1024],
    ['-m size=64M', 64],
    ['--m 128M', 128],
  ])('%s is %d MiB', (text, mib) => {
    expect(config(text).memoryBytes).toBe(mib * 2 ** 20);
  });

  it('iothread and iothread-vq-mapping, as JSON and as dotted keys', () => {
    const objects =
      '-object iothread,id=t0,poll-max-ns=0 -object iothread,id=t1 -drive file=d,if=none,id=d0,format=raw';
    const mapping = [
      { iothread: 't0', vqs: [0] },
      { iothread: 't1', vqs: [1] },
    ];
    const json = config(
      `${objects} -device '{"driver":"virtio-blk-device","drive":"d0","num-queues":2,"iothread-vq-mapping":${JSON.stringify(mapping)}}'`,
    );
    const dotted = config(
      `${objects} -device virtio-blk-device,drive=d0,num-queues=2,iothread-vq-mapping.0.iothread=t0,iothread-vq-mapping.0.vqs.0=0,iothread-vq-mapping.1.iothread=t1,iothread-vq-mapping.1.vqs.0=1`,
    );
    expect(json.devices).toEqual(dotted.devices);
    const device = json.devices[0];
    if (device === undefined) throw new Error('no device');
    const spec = deviceSpec(device, 0, [], []);
    expect(spec.ok && spec.value.placement).toEqual(['t0', 't1']);
  });

  it('a comma in a value is doubled', () => {
    expect(config('-drive file=a,,b.img,if=none,id=d').drives[0]?.protocol).toEqual({
      driver: 'file',
      filename: 'a,b.img',
    });
  });

  it('blockdev: inline child, by name in any order, JSON', () => {
    const inline = config('-blockdev raw,node-name=n,file.driver=file,file.filename=x').blockdevs;
    expect(inline.map((node) => [node.nodeName, node.driver])).toEqual([
      ['n.file', 'file'],
      ['n', 'raw'],
    ]);
    const json = config(
      `-blockdev '{"driver":"raw","node-name":"n","file":{"driver":"file","filename":"x"}}'`,
    ).blockdevs;
    expect(json).toEqual(inline);
    expect(
      config('-blockdev raw,node-name=a,file=b -blockdev file,node-name=b,filename=x').blockdevs,
    ).toHaveLength(2);
  });

  it('throttling by its names and by the older ones', () => {
    const want = { 'bps-total': 10 * 2 ** 20, 'iops-read': 100 };
    expect(
      config('-drive file=x,throttling.bps-total=10M,throttling.iops-read=100').drives[0]?.throttling,
    ).toEqual(want);
    expect(config('-drive file=x,bps=10M,iops_rd=100').drives[0]?.throttling).toEqual(want);
  });

  it('monitors, serial ports, chardevs', () => {
    const got = config(
      '-chardev vc,id=c0,mux=on -serial chardev:c0 -mon c0,mode=readline -qmp unix:/tmp/q.sock,server=on,wait=off -monitor none',
    );
    expect(got.monitors).toEqual([
      { mode: 'readline', pretty: false, target: { kind: 'chardev', id: 'c0' } },
      {
        mode: 'control',
        pretty: false,
        target: {
          kind: 'new',
          mux: false,
          backend: {
            backend: 'socket',
            address: { type: 'unix', path: '/tmp/q.sock' },
            server: true,
            wait: false,
          },
        },
      },
      { mode: 'readline', pretty: false, target: { kind: 'none' } },
    ]);
    expect(config('-nographic').serials).toMatchObject([
      { kind: 'new', mux: true, backend: { backend: 'stdio' } },
    ]);
  });

  it('-nographic puts on stdio what nobody named', () => {
    const stdio = { kind: 'new', mux: false, backend: { backend: 'stdio' } };
    const ends = (text: string): unknown => {
      const { serials, monitors } = config(text);
      return { serials, monitors: monitors.map(({ target }) => target) };
    };
    expect(ends('-nographic -serial mon:stdio')).toMatchObject({ serials: [{ mux: true }], monitors: [] });
    expect(ends('-nographic -serial null')).toMatchObject({ serials: [{}], monitors: [stdio] });
    expect(ends('-nographic -monitor null')).toMatchObject({ serials: [stdio], monitors: [{}] });
    expect(ends('-nographic -serial stdio -monitor null')).toMatchObject({ serials: [stdio] });
    expect(ends('-nographic -nodefaults')).toEqual({ serials: [], monitors: [] });
    // Without it the serial port that nobody named leaves stdio to whoever did.
    expect(ends('-monitor stdio')).toMatchObject({ serials: [], monitors: [stdio] });
  });

  it('a network by -netdev and by -nic', () => {
    expect(
      config('-netdev user,id=n0,restrict=on -device virtio-net-device,netdev=n0').netdevs[0],
    ).toMatchObject({
      type: 'user',
      restrict: true,
    });
    expect(config('-nic user,model=virtio-net-device,mac=52:54:00:12:34:56').nics[0]).toMatchObject({
      kind: 'card',
      mac: '52:54:00:12:34:56',
    });
  });

  it('a global is the default of every device of its type', () => {
    const got = config(
      '-global virtio-blk-device.queue-size=64 -drive file=x,if=none,id=d -device virtio-blk,drive=d',
    );
    const device = got.devices[0];
    if (device === undefined) throw new Error('no device');
    const spec = deviceSpec(device, 0, got.globals, got.drives);
    expect(spec.ok && spec.value.props).toMatchObject({ 'queue-size': 64 });
  });

  it('two devices may share a drive when both say so', () => {
    const device = '-device virtio-blk,drive=d,share-rw=on';
    expect(config(`-drive file=x,if=none,id=d ${device} ${device}`).devices).toHaveLength(2);
  });
});

describe('notes: it runs, but not exactly as written', () => {
  it.each([
    ['-drive file=x,if=none,id=d -device virtio-blk-pci,drive=d', 'no PCI bus', 'virtio-blk-pci'],
    [
      '-drive file=x,if=none,id=d -device virtio-blk-pci,drive=d,addr=4',
      "'addr' belongs to a PCI device",
      '4',
    ],
    ['-drive file=x,if=none,id=d -device virtio-blk,drive=d,num-queues=2', 'all 2 queues share', '2'],
    ['-m 64 -drive file=x,format=raw,format=raw', 'more than once', 'format'],
  ])('%s', (text, note, at) => {
    const argv = words(text);
    const parsed = parseCommandLine(argv);
    const notes = parsed.ok && parsed.value.kind === 'run' ? parsed.value.notes : [];
    const found = notes.find((candidate) => candidate.text.includes(note));
    expect(found).toBeDefined();
    expect(argv[found?.argIndex ?? 0]?.slice(...(found?.span ?? []))).toBe(at);
  });
});

const DRIVE = '-drive file=x,if=none,id=d';

describe('bad command lines: one error, in place, with a way out', () => {
  it.each([
    // [command line, message, the text it points at, hint]
    ['-foo', '-foo: invalid option', '-foo', 'Possible'],
    ['-devise x', '-devise: invalid option', '-devise', "Did you mean '-device'?"],
    ['disk.img', "'disk.img' is not an option", 'disk.img', '-drive file=disk.img'],
    [
      '-hda d.img',
      'no IDE disks',
      '-hda',
      '-drive file=d.img,if=none,id=hd0,format=raw -device virtio-blk-device,drive=hd0',
    ],
    ['-m', '-m: requires an argument', '-m', undefined],
    ['-m abc', "-m abc: Parameter 'size' expects a size, not 'abc'", 'abc', 'suffix'],
    ['-m 1T', 'in the range [8M, 2G]', '1T', undefined],
    ['-smp 99', 'in the range [1, 8]', '99', undefined],
    ['-smp 2,cores=4', 'product of the hierarchy', '2,cores=4', undefined],
    ['-cpu rv32', "unable to find CPU model 'rv32'", 'rv32', 'rv64'],
    ['-cpu rv64,v=on', "'v' can only be 'off'", 'on', undefined],
    ['-machine pc', "'type' does not accept value 'pc'", 'pc', 'Possible: virt'],
    ['-accel kvm', 'invalid accelerator kvm', 'kvm', '-accel tcg'],
    ['-object foo,id=a', "'qom-type' does not accept value 'foo'", 'foo', 'glib-qcontext'],
    ['-object iothred,id=a', "does not accept value 'iothred'", 'iothred', "'iothread'"],
    ['-object iothread', "Parameter 'id' is missing", 'iothread', undefined],
    ['-object iothread,id=1a', "Parameter 'id' expects an identifier", '1a', 'starting with a letter'],
    ['-object iothread,id=main', "'main' is the main loop", 'iothread,id=main', 'another id'],
    ['-object iothread,id=a -object glib-qcontext,id=a', "Duplicate ID 'a' for object", 'a', undefined],
    ['-object iothread,id=a,poll-max-ns=-1', 'in the range [0, 9007199254740991], not -1', '-1', undefined],
    ['-object glib-qcontext,id=a,threaded=maybe', "'threaded' expects 'on' or 'off'", 'maybe', undefined],
    [
      '-object glib-qcontext,id=a,thread=yes',
      "Property 'glib-qcontext.thread' not found",
      'thread',
      "'threaded'",
    ],
    ['-context a,backend=uv', "'backend' does not accept value 'uv'", 'uv', 'Possible: default, glib'],
    ['-drive if=none,id=d', "Parameter 'file' is missing", 'if=none,id=d', 'file=disk.img'],
    ['-drive file=x,if=ide', "unsupported bus type 'ide'", 'ide', 'if=virtio'],
    ['-drive file=x,format=qcow2', "'format' does not accept value 'qcow2'", 'qcow2', 'Possible: raw'],
    ['-drive file=x,cach=none', "Property 'drive.cach' not found", 'cach', "'cache'"],
    ['-drive file=x,aio=native', 'requires cache.direct=on', 'native', 'cache=none'],
    ['-drive file=x,bps=1,throttling.bps-total=2', "alias 'bps'", '1', undefined],
    ['-drive file=x,bps=1,bps_rd=1', 'cannot be used at the same time', 'file=x,bps=1,bps_rd=1', undefined],
    ['-drive file=x,id=d -drive file=y,id=d', "Duplicate ID 'd' for drive", 'd', undefined],
    ['-drive file=x,id=a -drive file=x,id=b', "Image 'x' is already opened by drive 'a'", 'x', 'readonly=on'],
    ['-drive driver=memory,id=a', "'size' is missing", 'driver=memory,id=a', 'size=64M'],
    ['-device virtio-blk', 'drive property not set', 'virtio-blk', '-drive'],
    [
      '-device virtio-blk,drive=d',
      "'virtio-blk-device.drive' can't find value 'd'",
      'd',
      '-drive file=disk.img,if=none,id=d',
    ],
    [`${DRIVE} -device virtio-blk,drive=D`, "can't find value 'D'", 'D', "Did you mean 'd'?"],
    [
      `${DRIVE} -device virtio-blk,drive=d -device virtio-blk,drive=d`,
      "Drive 'd' is already in use by virtio-blk-device",
      'd',
      'share-rw',
    ],
    ['-drive file=x,id=d -device virtio-blk,drive=d', 'automatically connected', 'd', "'if=none'"],
    [
      `${DRIVE} -device virtio-blk,drive=d,id=a,foo=1`,
      "Property 'virtio-blk-device.foo' not found",
      'foo',
      undefined,
    ],
    [`${DRIVE} -device virtio-blk,drive=d,queue-sise=8`, 'not found', 'queue-sise', "'queue-size'"],
    [
      `${DRIVE} -device virtio-blk,drive=d,queue-size=3`,
      'expects a value in the range [4, 1024]',
      '3',
      undefined,
    ],
    [`${DRIVE} -device virtio-blk,drive=d,queue-size=100`, 'expects a power of 2', '100', undefined],
    [
      `${DRIVE} -device virtio-blk,drive=d,num-queues=two`,
      "'num-queues' expects an integer",
      'two',
      undefined,
    ],
    [`${DRIVE} -device virtio-blk,drive=d,scsi=on`, 'no SCSI passthrough', 'on', undefined],
    [
      `${DRIVE} -device virtio-blk,drive=d,serial=123456789012345678901`,
      'at most 20 bytes',
      '123456789012345678901',
      undefined,
    ],
    [
      `${DRIVE} -device virtio-blk,drive=d,context=ctx0`,
      "Event loop 'ctx0' not found",
      'ctx0',
      '-object glib-qcontext,id=ctx0,threaded=yes',
    ],
    [
      `${DRIVE} -object rng-builtin,id=r -device virtio-blk,drive=d,context=r`,
      "'r' is a rng-builtin, not an event loop",
      'r',
      undefined,
    ],
    [
      `${DRIVE} -object iothread,id=t -device virtio-blk,drive=d,iothread=t,context=t`,
      'mutually exclusive',
      't',
      undefined,
    ],
    [
      `${DRIVE} -object iothread,id=t -device virtio-blk,drive=d,context=t,x-data-plane=off`,
      'x-data-plane=off',
      'off',
      undefined,
    ],
    [
      `${DRIVE} -device '{"driver":"virtio-blk","drive":"d","iothread-vq-mapping":[]}'`,
      'must not be empty',
      '[]',
      undefined,
    ],
    [
      `${DRIVE} -object iothread,id=t -device '{"driver":"virtio-blk","drive":"d","num-queues":2,"iothread-vq-mapping":[{"iothread":"t","vqs":[0]}]}'`,
      'virtqueue 1 is not mapped',
      '[{"iothread":"t","vqs":[0]}]',
      undefined,
    ],
    [`-device '{"driver":"virtio-blk",}'`, 'JSON parse error', '}', undefined],
    [
      `${DRIVE} -device '{"driver":"virtio-blk","drive":7}'`,
      "Invalid parameter type for 'drive', expected: string",
      '7',
      undefined,
    ],
    ['-device virtio-blok', "'virtio-blok' is not a valid device model name", 'virtio-blok', "'virtio-blk'"],
    ['-device e1000', "'e1000' is not a valid device model name", 'e1000', 'Possible'],
    ['-device virtio-rng,id=a -device virtio-rng,id=a', "Duplicate device ID 'a'", 'a', undefined],
    [
      '-device virtconsole,chardev=c',
      "No 'virtio-serial-bus' bus found",
      'virtconsole,chardev=c',
      '-device virtio-serial-device',
    ],
    ['-device virtio-serial -device virtconsole,chardev=c', "Chardev 'c' not found", 'c', '-chardev vc,id=c'],
    ['-device virtio-net,netdev=n', "can't find value 'n'", 'n', '-netdev user,id=n'],
    [
      '-netdev user,id=n -device virtio-net,netdev=n -device virtio-net,netdev=n',
      "Netdev 'n' is already in use",
      'n',
      undefined,
    ],
    ['-netdev tap,id=n', "'type' does not accept value 'tap'", 'tap', 'user'],
    ['-netdev user,id=n,net=banana', 'an IPv4 network', 'banana', undefined],
    [
      '-blockdev raw,node-name=a,file=b',
      "Cannot find device='b' nor node-name='b'",
      'b',
      '-blockdev file,node-name=b',
    ],
    [
      '-blockdev raw,node-name=a,file=b -blockdev raw,node-name=b,file=a',
      'Cyclic reference: a -> b -> a',
      'b',
      'must end',
    ],
    ['-blockdev raw,node-name=a,file=a', 'Cyclic reference: a -> a', 'a', undefined],
    [
      '-blockdev file,node-name=a,filename=x -blockdev file,node-name=a,filename=y',
      "node-name='a'",
      'a',
      undefined,
    ],
    ['-blockdev qcow2,node-name=a', "'driver' does not accept value 'qcow2'", 'qcow2', 'raw'],
    [
      '-blockdev throttle,node-name=a,file.driver=null-co,throttle-group=g',
      "Throttle group 'g' not found",
      'g',
      '-object throttle-group',
    ],
    ['-chardev foo,id=c', "'foo' is not a valid char driver name", 'foo', 'stdio'],
    ['-serial /dev/ttyS0', 'could not connect to character backend', '/dev/ttyS0', 'stdio'],
    ['-serial stdio -serial stdio', 'cannot use stdio by multiple', 'stdio', undefined],
    [
      '-chardev vc,id=c -serial chardev:c -serial chardev:c',
      "Chardev 'c' is already in use",
      'chardev:c',
      'mux=on',
    ],
    ['-qmp tcp:4444', 'needs host:port', 'tcp:4444', 'tcp:127.0.0.1:4444'],
    ['-trace nope', "unknown trace event 'nope'", 'nope', undefined],
    ['-trace virtqueue_pup', 'unknown trace event', 'virtqueue_pup', "'virtqueue_pop'"],
    ['-rtc base=yesterday', "invalid datetime 'yesterday'", 'yesterday', undefined],
    ['-global virtio-blk-device.foo=1', "Property 'virtio-blk-device.foo' not found", 'foo', undefined],
    ['-display gtk', "does not accept value 'gtk'", 'gtk', '-display none'],
  ] as const)('%s', (text, message, at, hint) => {
    const error = failure(text);
    expect(error.desc).toContain(message);
    expect(error.at).toBe(at);
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });

  it('the message begins with the option and its value', () => {
    expect(failure('-device virtio-blk,drive=nope').desc).toMatch(/^-device virtio-blk,drive=nope: /);
  });
});

describe('help', () => {
  const help = (text: string): string => {
    const parsed = parseCommandLine(words(text));
    return parsed.ok && parsed.value.kind === 'help' ? parsed.value.text : '';
  };
  it.each([
    ['-help', '-device driver'],
    ['-h', '-object type'],
    ['-device help', 'name "virtio-blk-device"'],
    ['-device virtio-blk,help', 'queue-size=<uint16>'],
    ['-device virtio-blk,?', 'iothread-vq-mapping'],
    ['-object help', 'glib-qcontext'],
    ['-object iothread,help', 'poll-max-ns=<int>'],
    ['-machine help', 'virt'],
    ['-machine virt,help', 'acpi'],
    ['-cpu help', 'rv64'],
    ['-accel help', 'tcg'],
    ['-trace help', 'virtqueue_pop'],
    ['-drive help', 'throttling.bps-total'],
    ['-blockdev help', 'null-co'],
    ['-chardev help', 'ringbuf'],
    ['-netdev user,help', 'dhcpstart'],
  ])('%s', (text, expected) => {
    expect(help(text)).toContain(expected);
  });

  it('-version', () => {
    expect(parseCommandLine(['-version'])).toEqual({ ok: true, value: { kind: 'version' } });
  });
});
