import { describe, expect, it } from 'vitest';
import { completeCommandLine } from './complete.ts';
import type { MachineConfig } from './config.ts';
import { diffCommandLine } from './diff.ts';
import { placeDevice, setOpts } from './edit.ts';
import { formatCommandLine, formatCommandLineText } from './format.ts';
import { parseCommandLine } from './parse.ts';
import { spanInText, splitCommandLine } from './shell.ts';

const words = (text: string) => splitCommandLine(text).words.map((word) => word.value);

function config(argv: readonly string[]): MachineConfig {
  const parsed = parseCommandLine(argv);
  if (!parsed.ok) throw new Error(parsed.error.desc);
  if (parsed.value.kind !== 'run') throw new Error(`a ${parsed.value.kind}`);
  return parsed.value.config;
}

const RFC =
  '-object glib-qcontext,id=ctx0,threaded=yes -drive file=disk.img,if=none,id=drive0,format=raw,cache=none,aio=native -device virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx0';

const LINES = [
  '',
  RFC,
  '-m 1G -smp 4 -accel tcg,jit=off -cpu rv64,sstc=off,svadu=on -name "a, b" -bios none -S -snapshot -nodefaults -no-reboot -no-shutdown',
  "-kernel Image -initrd i -dtb d -append 'root=/dev/vda rw  quiet' -rtc base=2006-06-17T16:01:21,clock=vm",
  '-object iothread,id=t0,poll-max-ns=0,poll-grow=2 -object throttle-group,id=g,x-bps-total=10M -object rng-random,id=r',
  '-drive file=a,,b.img,snapshot=on,werror=stop,rerror=ignore,discard=unmap,bps=1M,iops=7,readonly=off -drive driver=memory,size=64M,if=none,id=m',
  '-drive file=x,cache.direct=on,cache.writeback=off,cache.no-flush=on,throttling.group=g1',
  '-drive file=null-co://,size=3M,if=none,id=z -global virtio-blk-device.queue-size=64 -global virtio-net-device.csum=on',
  '-object throttle-group,id=g -blockdev throttle,node-name=t,throttle-group=g,file.driver=raw,file.file.driver=file,file.file.filename=q,file.offset=1M,file.size=2M',
  '-blockdev null-co,node-name=n,latency-ns=5,read-zeroes=on,cache.direct=on,read-only=on,discard=unmap',
  `-object iothread,id=a -object iothread,id=b -drive file=x,if=none,id=d -device '{"driver":"virtio-blk","id":"k","drive":"d","num-queues":2,"share-rw":true,"iothread-vq-mapping":[{"iothread":"a"},{"iothread":"b"}]}'`,
  '-chardev ringbuf,id=r,size=1M -chardev stdio,id=s,mux=on,signal=off -chardev socket,id=k,path=/tmp/x,server=on,wait=off -chardev vc,id=v -serial chardev:s -mon chardev=s,mode=control,pretty=on -monitor tcp:127.0.0.1:99,server=on -qmp-pretty unix:/a,,b -serial null -serial none',
  '-nographic -display none -vga none',
  '-netdev user,id=n,net=10.0.2.0/24,hostfwd=tcp::2222-:22,restrict=on -netdev hubport,id=h,hubid=3 -device virtio-net,netdev=n,mac=52:54:00:12:34:56 -nic user -nic none',
  '-device virtio-serial,id=vs,max_ports=4 -chardev vc,id=c,mux=on -device virtconsole,chardev=c,bus=vs.0 -device virtserialport,chardev=c,name=org.x,nr=3 -device virtio-rng,max-bytes=1024,period=1000',
  "-trace 'virtqueue_*' -trace enable=blk_co_preadv",
  '-loadvm first-boot.1 -S',
];

describe('format is the inverse of parse', () => {
  it.each(LINES)('%s', (text) => {
    const first = config(words(text));
    const argv = formatCommandLine(first);
    expect(config(argv)).toEqual(first);
    // Canonical: formatting again changes nothing, and the text form reads back to the same words.
    expect(formatCommandLine(config(argv))).toEqual(argv);
    expect(words(formatCommandLineText(first))).toEqual(argv);
  });
});

describe('splitting text into words', () => {
  it.each([
    ['a \'b c\' "d e" f\\ g', ['a', 'b c', 'd e', 'f g']],
    ['a \\\n b # comment\n c', ['a', 'b', 'c']],
    ['"a\\"b" \'a\\b\' a"b"c', ['a"b', 'a\\b', 'abc']],
    ["'' x", ['', 'x']],
    ['a#b', ['a#b']],
    ['  ', []],
  ])('%s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('an unclosed quote is told', () => {
    expect(splitCommandLine("-m 'abc").unclosed).toEqual({ quote: "'", offset: 3 });
  });

  it('a span of a quoted word is found in the text', () => {
    const text = `-device 'virtio-blk,dri'"ve=nope"`;
    const split = splitCommandLine(text).words;
    const parsed = parseCommandLine(split.map((word) => word.value));
    if (parsed.ok) throw new Error('accepted');
    const span = spanInText(split, parsed.error.argIndex ?? 0, parsed.error.span);
    expect(text.slice(...(span ?? []))).toBe('nope');
  });
});

describe('differences', () => {
  const diff = (a: string, b: string) => diffCommandLine(config(words(a)), config(words(b)));

  it('nothing', () => {
    expect(diff(RFC, RFC)).toEqual([]);
  });

  it('a drag: one qom-set', () => {
    const named = RFC.replace('virtio-blk,', 'virtio-blk,id=disk0,');
    expect(diff(named, named.replace(',context=ctx0', ''))).toEqual([
      {
        before: '-device virtio-blk-device,id=disk0,drive=drive0,scsi=off,x-data-plane=on,context=ctx0',
        after: '-device virtio-blk-device,id=disk0,drive=drive0,scsi=off,x-data-plane=on',
        live: [
          {
            execute: 'qom-set',
            arguments: { path: '/machine/peripheral/disk0', property: 'context', value: 'main' },
          },
        ],
      },
    ]);
  });

  it('context= and iothread= are two names of one setting', () => {
    const [change] = diff(RFC, RFC.replace('context=ctx0', 'iothread=ctx0'));
    expect(change?.live).toEqual([]);
  });

  it('a new context comes before the device that moves to it', () => {
    const live = diff(RFC, `-object iothread,id=t1 ${RFC.replace('context=ctx0', 'context=t1')}`).map(
      (change) => change.live,
    );
    expect(live).toEqual([
      [{ execute: 'object-add', arguments: { 'qom-type': 'iothread', id: 't1' } }],
      [
        {
          execute: 'qom-set',
          arguments: { path: '/machine/peripheral-anon/device[0]', property: 'context', value: 't1' },
        },
      ],
    ]);
  });

  it('one queue of two', () => {
    const base = `-object iothread,id=t1 -object iothread,id=t2 -drive file=x,if=none,id=d -device `;
    const two = (vq1: string) =>
      `${base}'${JSON.stringify({ driver: 'virtio-blk', id: 'k', drive: 'd', 'num-queues': 2, 'iothread-vq-mapping': [{ iothread: 't1', vqs: vq1 === 't1' ? [0, 1] : [0] }, ...(vq1 === 't1' ? [] : [{ iothread: vq1, vqs: [1] }])] })}'`;
    expect(diff(two('t1'), two('t2')).map((change) => change.live)).toEqual([
      [
        {
          execute: 'qom-set',
          arguments: { path: '/machine/peripheral/k/virtqueue[1]', property: 'context', value: 't2' },
        },
      ],
    ]);
  });

  it('what needs a restart says so', () => {
    expect(diff('-m 256', '-m 512')).toEqual([{ before: undefined, after: '-m 512M', live: undefined }]);
    expect(diff(RFC, RFC.replace('scsi=off', 'num-queues=2'))[0]?.live).toBeUndefined();
  });

  it('throttling a drive is live', () => {
    const [change] = diff(RFC, RFC.replace('aio=native', 'aio=native,bps=1M'));
    expect(change?.live?.[0]).toMatchObject({
      execute: 'block_set_io_throttle',
      arguments: { device: 'drive0', bps: 1048576, iops: 0 },
    });
  });
});

describe('placing a device in the text', () => {
  const place = (text: string, path: string, queue: number | undefined, to: string) => {
    const placed = placeDevice(words(text), path, queue, to);
    if (!placed.ok) throw new Error(placed.error.desc);
    return placed.value;
  };

  it('changes only context=', () => {
    const before = words(RFC);
    const after = place(RFC, '/machine/peripheral-anon/device[0]', undefined, 'ctx9');
    expect(after.filter((word, index) => word !== before[index])).toEqual([
      'virtio-blk,drive=drive0,scsi=off,x-data-plane=on,context=ctx9',
    ]);
  });

  it('main is said by leaving it out; iothread= is replaced', () => {
    const text = '-object iothread,id=t -drive file=x,if=none,id=d -device virtio-blk,iothread=t,drive=d';
    expect(place(text, '/machine/peripheral-anon/device[0]', undefined, 'main').at(-1)).toBe(
      'virtio-blk,drive=d',
    );
    expect(place(text, '/machine/peripheral-anon/device[0]', undefined, 'u').at(-1)).toBe(
      'virtio-blk,drive=d,context=u',
    );
  });

  it('one queue needs the mapping; both queues together do not', () => {
    const text =
      '-object iothread,id=t -drive file=x,if=none,id=d -device virtio-blk,id=k,drive=d,num-queues=2';
    const one = place(text, '/machine/peripheral/k', 1, 't');
    expect(JSON.parse(one.at(-1) ?? '')).toEqual({
      driver: 'virtio-blk-device',
      id: 'k',
      drive: 'd',
      'num-queues': 2,
      'iothread-vq-mapping': [
        { iothread: 'main', vqs: [0] },
        { iothread: 't', vqs: [1] },
      ],
    });
    const both = placeDevice(one, '/machine/peripheral/k', 0, 't');
    expect(both.ok && both.value.at(-1)).toBe('virtio-blk-device,id=k,drive=d,num-queues=2,context=t');
  });

  it('a drive with if=virtio gets its -device', () => {
    const after = place(
      '-object iothread,id=t -m 64 -drive file=x,format=raw',
      '/machine/peripheral-anon/device[0]',
      undefined,
      't',
    );
    expect(after.slice(-4)).toEqual([
      '-drive',
      'file=x,if=none,id=virtio0,format=raw',
      '-device',
      'virtio-blk-device,drive=virtio0,context=t',
    ]);
    expect(config(after).devices).toHaveLength(1);
  });

  it('setOpts keeps the rest, doubled commas included', () => {
    expect(setOpts('a,b=1,,2,c=3', { b: undefined, c: '4,5' })).toBe('a,c=4,,5');
    expect(setOpts('a,b=1,,2', { d: '4' })).toBe('a,b=1,,2,d=4');
  });
});

describe('completion', () => {
  /** `|` is the cursor. */
  const complete = (marked: string) => {
    const offset = marked.indexOf('|');
    const text = marked.replace('|', '');
    const { span, candidates } = completeCommandLine(text, offset);
    return { typed: text.slice(...span), texts: candidates.map((candidate) => candidate.text) };
  };

  it.each([
    ['|', '', ['-machine', '-device']],
    ['-dev|', '-dev', ['-device']],
    ['-device |', '', ['virtio-blk-device', 'virtio-blk']],
    ['-device virtio-b|', 'virtio-b', ['virtio-blk-device', 'virtio-blk']],
    ['-device virtio-blk,|', '', ['drive=', 'queue-size=']],
    ['-device virtio-blk,que|', 'que', ['queue-size=']],
    ['-device virtio-blk,scsi=|', '', ['on', 'off']],
    ['-device virtio-blk,werror=st|', 'st', ['stop']],
    [RFC.replace('context=ctx0', 'context=|'), '', ['main', 'ctx0']],
    [RFC.replace('drive=drive0', 'drive=dr|'), 'dr', ['drive0']],
    ['-object gl|', 'gl', ['glib-qcontext']],
    ['-object iothread,id=t -object iothread,poll|', 'poll', ['poll-max-ns=']],
    ['-drive file=x,throttling.bps|', 'throttling.bps', ['throttling.bps-total=']],
    ['-m 64 -accel tcg,jit=o|', 'o', ['on', 'off']],
    ['-trace virtqueue_|', 'virtqueue_', ['virtqueue_pop']],
  ])('%s', (marked, typed, expected) => {
    const got = complete(marked);
    expect(got.typed).toBe(typed);
    expect(got.texts).toEqual(expect.arrayContaining(expected));
  });

  it('a property already given is not offered again', () => {
    expect(complete('-device virtio-blk,drive=d,|').texts).not.toContain('drive=');
  });
});
