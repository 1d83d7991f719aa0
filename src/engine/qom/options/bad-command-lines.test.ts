import { describe, expect, it } from 'vitest';
import { formatUserError } from '../../base/result.ts';
import { startMonitor } from '../../qmp/testing.ts';
import { parseCommandLine } from './parse.ts';
import { splitCommandLine } from './shell.ts';

const words = (text: string): string[] => splitCommandLine(text).words.map((word) => word.value);

const DISK = '-drive if=none,id=d,file=a';
const CARD = '-netdev user,id=n -device virtio-net,netdev=n';

/** The command line; what is at fault, as the error quotes it; what the error says; what would be possible, if it is listed. */
const BAD: readonly (readonly [line: string, place: string, says: string, possible?: string])[] = [
  // Options.
  ['-frobnicate', '-frobnicate', 'invalid option', 'machine'],
  ['stray', 'stray', 'is not an option', 'if=virtio'],
  ['-hda disk.img', '-hda', 'no IDE disks', 'virtio-blk-device'],
  ['-enable-kvm', '-enable-kvm', 'no access to hardware', '-accel tcg'],
  ['-m', '-m', 'requires an argument', 'MiB'],
  ['-kernel', '-kernel', 'requires an argument', 'file'],
  ['-device', '-device', 'requires an argument', 'driver'],
  ['-object', '-object', 'requires an argument', 'id=id'],
  // Numbers, sizes, switches, words.
  ['-m lots', '-m lots', 'expects a size', 'suffix'],
  ['-m 64Q', '-m 64Q', 'expects a size', 'suffix'],
  ['-m -5', '-m -5', 'expects a size', 'suffix'],
  ['-m 0', '-m 0', 'in the range [8M, 2G], not 0'],
  ['-m 128G', '-m 128G', 'in the range [8M, 2G]'],
  ['-smp 0', '-smp 0', 'in the range [1, 8], not 0'],
  ['-smp two', '-smp two', 'expects an integer'],
  ['-smp cpus=2,foo=1', 'foo=1', "'smp.foo' not found", 'cpus'],
  ['-machine pc', '-machine pc', "does not accept value 'pc'", 'virt'],
  ['-machine virt,foo=on', 'foo=on', "'machine.foo' not found", 'aclint'],
  ['-accel kvm', '-accel kvm', 'invalid accelerator', 'tcg'],
  ['-accel tcg,jit=perhaps', 'jit=perhaps', "expects 'on' or 'off'"],
  ['-rtc base=never', 'base=never', 'invalid datetime', 'utc'],
  ['-trace nope', '-trace nope', 'unknown trace event'],
  ['-display sdl', '-display sdl', "does not accept value 'sdl'", 'none'],
  // Objects and loops.
  ['-object foo,id=a', 'foo', "does not accept value 'foo'", 'glib-qcontext'],
  ['-object iothread', '-object iothread', "'id' is missing"],
  ['-object iothread,id=', 'id=', 'expects an identifier', 'letters'],
  ['-object iothread,id=1a', 'id=1a', 'expects an identifier', 'letters'],
  ['-object iothread,id=a -object glib-qcontext,id=a', 'glib-qcontext,id=a', "Duplicate ID 'a'"],
  ['-object iothread,id=a,poll-max-ns=fast', 'poll-max-ns=fast', 'expects an integer'],
  ['-object iothread,id=a,poll-max-ns=-1', 'poll-max-ns=-1', 'in the range [0,'],
  ['-object iothread,id=a,nope=1', 'nope=1', "'iothread.nope' not found", 'poll-grow'],
  ['-object glib-qcontext,id=c,threaded=maybe', 'threaded=maybe', "expects 'on' or 'off'"],
  ['-object glib-qcontext,id=main', 'id=main', 'exists already', 'another id'],
  [`-object '{"qom-type":"iothread","id":"a"'`, '"id":"a"', 'JSON parse error'],
  [`-object '{"qom-type":"iothread","id":5}'`, '"id":5', "type for 'id', expected: string"],
  [`-object '{"id":"a"}'`, '{"id":"a"}', "'qom-type' is missing", 'iothread'],
  ['-context ctx0,backend=epoll', 'backend=epoll', "does not accept value 'epoll'", 'glib'],
  ['-context ctx0 -context ctx0', '-context ctx0', "Duplicate ID 'ctx0'"],
  // Disks.
  ['-drive if=none,id=d', 'id=d', "'file' is missing", 'file=disk.img'],
  [`${DISK},format=zip`, 'format=zip', "does not accept value 'zip'", 'raw'],
  ['-drive if=scsi,id=d,file=a', 'if=scsi', "unsupported bus type 'scsi'", 'virtio'],
  [`${DISK},foo=1`, 'foo=1', "'drive.foo' not found", 'readonly'],
  [`${DISK},readonly=perhaps`, 'readonly=perhaps', "expects 'on' or 'off'"],
  [`${DISK} -drive if=none,id=d,file=b`, 'file=b', "Duplicate ID 'd'"],
  [`${DISK},bps=5x`, 'bps=5x', 'expects a size', 'suffix'],
  [`${DISK},bps=5,bps_rd=5`, 'bps_rd=5', 'cannot be used at the same time'],
  [`${DISK},werror=panic`, 'werror=panic', "does not accept value 'panic'", 'enospc'],
  ['-drive file=a,if=none,id=d,=5', '=5', 'Invalid parameter'],
  ['-blockdev driver=file,filename=a', 'filename=a', "'node-name' is missing"],
  ['-blockdev node-name=n', 'node-name=n', "'driver' is missing", 'null-co'],
  ['-blockdev driver=raw,node-name=n,file=nope', 'file=nope', "node-name='nope'", '-blockdev file'],
  [
    '-blockdev raw,node-name=a,file=b -blockdev raw,node-name=b,file=a',
    'file=b',
    'Cyclic reference: a -> b -> a',
    'end',
  ],
  // Devices.
  ['-device nope', '-device nope', 'is not a valid device model name', 'virtio-blk'],
  ['-device virtio-blk', '-device virtio-blk', 'drive property not set', 'drive=ID'],
  ['-device virtio-blk,drive=', 'drive=', 'drive property not set', 'drive=ID'],
  ['-device virtio-blk,drive=nope', 'drive=nope', "can't find value 'nope'", '-drive'],
  [
    `${DISK} -device virtio-blk,drive=d -device virtio-blk,drive=d`,
    'drive=d',
    'already in use by',
    'share-rw',
  ],
  [
    `${DISK} -device virtio-blk,drive=d,id=x -device virtio-rng,id=x`,
    'virtio-rng,id=x',
    "Duplicate device ID 'x'",
  ],
  [`${DISK} -device virtio-blk,drive=d,num-queues=0`, 'num-queues=0', 'in the range [1, 64], not 0'],
  [`${DISK} -device virtio-blk,drive=d,queue-size=100`, 'queue-size=100', 'a power of 2'],
  [
    `${DISK} -device virtio-blk,drive=d,context=nope`,
    'context=nope',
    "Event loop 'nope' not found",
    '-object',
  ],
  [`${DISK} -device virtio-blk,drive=d,iothread=main,context=main`, 'context=main', 'mutually exclusive'],
  [`${DISK} -device virtio-blk,drive=d,scsi=on,x-data-plane=on`, 'scsi=on', "can only be 'off'"],
  [`${DISK} -device virtio-blk,drive=d,logical_block_size=513`, 'logical_block_size=513', 'a power of 2'],
  ['-device virtserialport,chardev=c', 'chardev=c', "No 'virtio-serial-bus' bus", 'virtio-serial-device'],
  ['-device virtio-rng,rng=nope', 'rng=nope', "'nope' not found", 'rng-builtin'],
  // Networks.
  ['-netdev user', '-netdev user', "'id' is missing"],
  ['-netdev tap,id=n', 'tap', "does not accept value 'tap'", 'user'],
  ['-netdev user,id=n -netdev user,id=n', 'id=n', "Duplicate ID 'n'"],
  ['-netdev user,id=n,net=300.0.0.0/8', 'net=300.0.0.0/8', 'an IPv4 network'],
  ['-netdev user,id=n,net=10.0.0.0/33', 'net=10.0.0.0/33', 'an IPv4 network'],
  ['-netdev user,id=n,dns=10.0.0.256', 'dns=10.0.0.256', 'an IPv4 address'],
  ['-netdev user,id=n,hostfwd=nonsense', 'hostfwd=nonsense', 'hostfwd expects'],
  ['-netdev hubport,id=h', 'hubport', "'hubid' is missing", 'hub'],
  ['-netdev user,id=n -device virtio-net,netdev=n,mac=zz', 'mac=zz', 'a MAC address'],
  [`${CARD} -device virtio-net,netdev=n`, 'netdev=n', 'already in use by', 'netdev'],
  // Character devices and monitors.
  ['-chardev stdio', '-chardev stdio', "'id' is missing"],
  ['-chardev nope,id=c', 'nope', 'is not a valid char driver name', 'ringbuf'],
  ['-chardev ringbuf,id=c,size=100', 'size=100', 'a power of 2'],
  ['-chardev ringbuf,id=c -chardev ringbuf,id=c', 'id=c', "id 'c' already exists"],
  ['-chardev stdio,id=a -chardev stdio,id=b', 'stdio,id=b', 'cannot use stdio by multiple'],
  ['-serial stdio -monitor stdio', '-monitor stdio', 'cannot use stdio by multiple', 'mon:stdio'],
  ['-monitor stdio -serial mon:stdio', '-serial mon:stdio', 'cannot use stdio by multiple', 'mon:stdio'],
  ['-qmp stdio -monitor stdio', '-monitor stdio', 'cannot use stdio by multiple', 'mon:stdio'],
  ['-chardev stdio,id=a -monitor stdio', '-monitor stdio', "chardev 'a' has it"],
  ['-nographic -serial stdio', '-serial stdio', 'cannot use stdio by multiple'],
  ['-serial stdio -nographic', '-nographic', 'the serial port has it'],
  ['-nographic -qmp stdio', '-qmp stdio', 'cannot use stdio by multiple'],
  ['-nographic -chardev stdio,id=x', 'stdio,id=x', 'the serial port has it'],
  ['-serial nope', '-serial nope', 'could not connect', 'stdio'],
  ['-serial chardev:nope', 'chardev:nope', "Chardev 'nope' not found", '-chardev'],
  ['-qmp tcp:127.0.0.1', 'tcp:127.0.0.1', 'needs host:port', '4444'],
  ['-qmp tcp:127.0.0.1:99999,server=on', '99999', 'needs host:port', '4444'],
  ['-qmp unix:,server=on', 'unix:', 'needs a path', '/tmp/'],
  ['-mon mode=control', 'mode=control', "'chardev' is missing"],
];

describe('a wrong command line', () => {
  for (const [line, place, says, possible] of BAD) {
    it(line, () => {
      const parsed = parseCommandLine(['-kernel', 'Image', ...words(line)]);
      if (parsed.ok) throw new Error('it was taken');
      const [first, ...hints] = formatUserError(parsed.error).split('\n');
      // One error: its first line names the place and what is wrong, the second what is possible.
      expect(first).toContain(place);
      expect(first).toContain(says);
      expect(hints.length).toBeLessThanOrEqual(1);
      if (possible !== undefined) expect(hints.join()).toContain(possible);
    });
  }
});

const BAD_COMMANDS: readonly (readonly [command: string, args: Readonly<Record<string, unknown>>])[] = [
  ['object-add', { 'qom-type': 'iothread', id: 'x', 'poll-max-ns': -1 }],
  ['object-add', { 'qom-type': 'iothread', id: 'x', nope: 1 }],
  ['object-add', { 'qom-type': 'throttle-group', id: 'x', 'x-iops-total': 'many' }],
  ['object-add', { 'qom-type': 'glib-qcontext', id: 'main' }],
  ['device_add', { driver: 'virtio-blk', id: 'x', drive: 'nope' }],
  ['device_add', { driver: 'virtio-blk', id: 'x' }],
  ['device_add', { driver: 'virtio-rng', id: 'x', rng: 'nope' }],
  ['device_add', { driver: 'virtio-net', id: 'x', netdev: 'nope' }],
  ['device_add', { driver: 'virtio-rng', id: 'x', nope: 1 }],
  ['blockdev-add', { driver: 'raw', 'node-name': 'x', file: 'nope' }],
  ['blockdev-add', { driver: 'raw', 'node-name': 'x', file: 'x' }],
  [
    'blockdev-add',
    { driver: 'throttle', 'node-name': 'x', file: { driver: 'null-co' }, 'throttle-group': 'nope' },
  ],
  ['chardev-add', { id: 'x', backend: { type: 'ringbuf', data: { size: 100 } } }],
  ['netdev_add', { type: 'user', id: 'x', net: 'nonsense' }],
];

describe('the same of a machine that runs: an error, and nothing half-built', () => {
  it.each(BAD_COMMANDS)('%s %j', async (command, args) => {
    const { monitor } = await startMonitor();
    const everything = async (): Promise<string> =>
      JSON.stringify(
        await Promise.all([
          ...[
            '/objects',
            '/machine/peripheral',
            '/machine/peripheral-anon',
            '/block',
            '/chardevs',
            '/netdevs',
          ].map((path) => monitor.qmp('qom-list', { path })),
          monitor.qmp('query-named-block-nodes', {}),
          monitor.qmp('query-iothreads', {}),
        ]),
      );
    const before = await everything();
    const reply = await monitor.qmp(command, args);
    expect(reply.ok).toBe(false);
    expect(await everything()).toBe(before);
  });
});

describe('what lists the possible values', () => {
  const help = (line: string): string => {
    const parsed = parseCommandLine(words(line));
    return parsed.ok && parsed.value.kind === 'help' ? parsed.value.text : '';
  };
  it.each([
    ['-smp help', 'cpus='],
    ['-m help', 'size='],
    ['-context help', 'threaded='],
    ['-display help', 'none'],
    ['-netdev help', 'hubport'],
    ['-chardev help', 'stdio'],
    ['-accel tcg,help', 'jit='],
  ])('%s', (line, lists) => {
    expect(help(line)).toContain(lists);
  });
});
