import type { Arg } from './arg.ts';
import { readBlockdev } from './blockdev-option.ts';
import { readChardev, readCharTarget, readMon } from './char-options.ts';
import { type Draft, Origin } from './draft.ts';
import { readDrive } from './drive-option.ts';
import {
  readAccel,
  readCpu,
  readMachine,
  readMemory,
  readRtc,
  readSmp,
  readSnapshotTag,
  readTrace,
} from './machine-options.ts';
import { readNetdev, readNic } from './net-options.ts';
import { readContext, readDevice, readGlobal, readObject } from './object-options.ts';

/** One option of the command line. */
export interface OptionInfo {
  readonly name: string;
  /** How its value is written; undefined for an option without one. */
  readonly value: string | undefined;
  readonly help: string;
  readonly section:
    | 'Machine'
    | 'Contexts and objects'
    | 'Disks'
    | 'Devices'
    | 'Characters and monitors'
    | 'Network'
    | 'Running';
  /** Reads it into the draft. Complains with `arg.fail`. */
  readonly read: (draft: Draft, arg: Arg) => void;
}

type Section = OptionInfo['section'];
const option = (
  section: Section,
  name: string,
  value: string | undefined,
  help: string,
  read: OptionInfo['read'],
): OptionInfo => ({
  name,
  value,
  help,
  section,
  read,
});
const flag = (section: Section, name: string, help: string, read: OptionInfo['read']) =>
  option(section, name, undefined, help, read);
const file = (name: 'bios' | 'kernel' | 'initrd' | 'dtb' | 'append', value: string, help: string) =>
  option('Machine', name, value, help, (draft, arg) => {
    draft.config.boot = { ...draft.config.boot, [name]: arg.text };
  });

const readMonitorTarget = (mode: 'readline' | 'control', pretty: boolean) => (draft: Draft, arg: Arg) =>
  draft.add('monitors', { mode, pretty, target: readCharTarget(arg) }, arg);

/** All options, in the order the help shows them. A leading `--` is read as `-`. */
export const OPTIONS: readonly OptionInfo[] = [
  option('Machine', 'machine', '[type=]virt[,prop=value…]', 'the board', (draft, arg) => {
    draft.config.machine = readMachine(arg);
  }),
  option('Machine', 'M', 'virt', 'the same as -machine', (draft, arg) => {
    draft.config.machine = readMachine(arg);
  }),
  option('Machine', 'accel', 'tcg[,jit=on|off]', 'how guest code runs', (draft, arg) => {
    draft.config.accel = readAccel(arg);
  }),
  option('Machine', 'cpu', 'rv64[,sstc=on|off…]', 'the hart model', (draft, arg) => {
    draft.config.cpu = readCpu(arg);
  }),
  option('Machine', 'smp', '[cpus=]n', 'number of harts', (draft, arg) => {
    draft.config.smp = readSmp(arg);
  }),
  option('Machine', 'm', '[size=]MiB', 'guest RAM, with the suffixes M and G', (draft, arg) => {
    draft.config.memoryBytes = readMemory(arg);
  }),
  file('bios', 'file', 'firmware at 0x80000000 in M-mode; none or default: the built-in SBI'),
  file('kernel', 'file', 'kernel (raw Image or ELF)'),
  file('initrd', 'file', 'initial RAM disk'),
  file('dtb', 'file', 'device tree instead of the generated one'),
  file('append', 'text', 'kernel command line'),
  option('Machine', 'name', '[guest=]name', 'name of the machine', (draft, arg) => {
    draft.config.name = arg.text.replace(/^guest=/, '');
  }),
  option(
    'Machine',
    'rtc',
    '[base=utc|localtime|date][,clock=host|vm]',
    'the real-time clock',
    (draft, arg) => {
      draft.config.rtc = readRtc(arg);
    },
  ),
  option(
    'Contexts and objects',
    'object',
    'type,id=id[,prop=value…]',
    'an object; -object help lists the types',
    (draft, arg) => {
      const bag = arg.bag('qom-type');
      draft.add('objects', readObject(bag), arg, bag);
    },
  ),
  option(
    'Contexts and objects',
    'context',
    'id[,threaded=yes|no][,backend=default|glib]',
    'an event loop, short for -object glib-qcontext',
    (draft, arg) => {
      const bag = arg.bag('id');
      draft.add('objects', readContext(bag), arg, bag);
    },
  ),
  option('Disks', 'drive', 'file=image,if=none|virtio,id=id[,prop=value…]', 'a drive', (draft, arg) => {
    if (/^\s*\{/.test(arg.text)) arg.fail('-drive has no JSON form', 'Use -blockdev.');
    const bag = arg.bag(undefined);
    draft.add('drives', readDrive(bag, `virtio${draft.config.drives.length}`), arg, bag);
  }),
  option(
    'Disks',
    'blockdev',
    '[driver=]driver,node-name=name[,prop=value…]',
    'a block node',
    (draft, arg) => {
      const bag = arg.bag('driver');
      for (const node of readBlockdev(bag)) draft.add('blockdevs', node, arg, bag);
    },
  ),
  flag('Disks', 'snapshot', 'writes of every -drive go to a temporary overlay', (draft) => {
    draft.config.snapshot = true;
  }),
  option('Devices', 'device', 'driver[,prop=value…]', 'a device; -device help lists them', (draft, arg) => {
    const bag = arg.bag('driver');
    draft.add('devices', readDevice(bag), arg, bag);
  }),
  option('Devices', 'global', 'driver.prop=value', 'a default for every device of a type', (draft, arg) => {
    draft.add('globals', readGlobal(arg), arg);
  }),
  option(
    'Characters and monitors',
    'chardev',
    'backend,id=id[,prop=value…]',
    'a character device',
    (draft, arg) => {
      const bag = arg.bag('backend');
      draft.add('chardevs', readChardev(bag), arg, bag);
    },
  ),
  option('Characters and monitors', 'serial', 'target', 'the next serial port', (draft, arg) => {
    draft.add('serials', readCharTarget(arg), arg);
  }),
  option(
    'Characters and monitors',
    'monitor',
    'target',
    'a monitor for people',
    readMonitorTarget('readline', false),
  ),
  option('Characters and monitors', 'qmp', 'target', 'a QMP monitor', readMonitorTarget('control', false)),
  option(
    'Characters and monitors',
    'qmp-pretty',
    'target',
    'a QMP monitor that indents',
    readMonitorTarget('control', true),
  ),
  option(
    'Characters and monitors',
    'mon',
    '[chardev=]id[,mode=readline|control]',
    'a monitor on a -chardev',
    (draft, arg) => {
      const bag = arg.bag('chardev');
      draft.add('monitors', readMon(bag), arg, bag);
    },
  ),
  flag(
    'Characters and monitors',
    'nographic',
    'serial port and monitor share stdio (Ctrl-A c switches)',
    (draft, arg) => {
      draft.noGraphic = new Origin(arg);
    },
  ),
  option('Characters and monitors', 'display', 'none', 'accepted: there is no display', (_draft, arg) => {
    if (arg.text !== 'none')
      arg.fail(
        `Parameter 'type' does not accept value '${arg.text}'`,
        'This board has no display: use -display none.',
      );
  }),
  option('Characters and monitors', 'vga', 'none', 'accepted: there is no display', (_draft, arg) => {
    if (arg.text !== 'none')
      arg.fail(`unknown vga type: ${arg.text}`, 'This board has no display: use -vga none.');
  }),
  option(
    'Network',
    'netdev',
    'user|hubport,id=id[,prop=value…]',
    'what is behind a network card',
    (draft, arg) => {
      const bag = arg.bag('type');
      draft.add('netdevs', readNetdev(bag), arg, bag);
    },
  ),
  option(
    'Network',
    'nic',
    'user|hubport|none[,model=virtio-net-device][,mac=…]',
    'a network card and its netdev',
    (draft, arg) => {
      draft.add('nics', readNic(arg, `__nic${draft.config.nics.length}`), arg);
    },
  ),
  flag('Running', 'S', 'stopped until cont', (draft) => {
    draft.config.paused = true;
  }),
  option('Running', 'loadvm', 'tag', 'go on from a snapshot (savevm in the monitor)', (draft, arg) => {
    draft.config.loadvm = readSnapshotTag(arg);
  }),
  option('Running', 'trace', '[enable=]pattern', 'switch trace events on', (draft, arg) => {
    draft.config.trace.push(readTrace(arg));
  }),
  flag('Running', 'no-reboot', 'a reset ends the machine', (draft) => {
    draft.config.noReboot = true;
  }),
  flag('Running', 'no-shutdown', 'a power-off stops the machine, but keeps it', (draft) => {
    draft.config.noShutdown = true;
  }),
  flag('Running', 'nodefaults', 'nothing that was not asked for', (draft) => {
    draft.config.noDefaults = true;
  }),
  flag('Running', 'no-user-config', 'accepted: there are no configuration files', () => {}),
];

const hd = (index: number) => (value: string) =>
  `-drive file=${value},if=none,id=hd${index},format=raw -device virtio-blk-device,drive=hd${index}`;

/** Options of QEMU that this machine has no use for, each with a way out. `args`: takes a value. */
export const REFUSED: Readonly<
  Record<
    string,
    { readonly args: boolean; readonly why: string; readonly instead: (value: string) => string }
  >
> = {
  ...Object.fromEntries(
    ['hda', 'hdb', 'hdc', 'hdd'].map((name, index) => [
      name,
      {
        args: true,
        why: 'this board has no IDE disks',
        instead: (value: string) => `Use ${hd(index)(value)}`,
      },
    ]),
  ),
  cdrom: {
    args: true,
    why: 'this board has no CD-ROM',
    instead: (value) => `Use -drive file=${value},format=raw,readonly=on`,
  },
  fda: { args: true, why: 'this board has no floppy drive', instead: () => 'Use -drive.' },
  sd: {
    args: true,
    why: 'this board has no SD slot',
    instead: (value) => `Use -drive file=${value},format=raw`,
  },
  net: {
    args: true,
    why: '-net is gone',
    instead: () => 'Use -nic user, or -netdev user,id=n0 -device virtio-net-device,netdev=n0',
  },
  'enable-kvm': {
    args: false,
    why: 'a page has no access to hardware virtualization',
    instead: () => 'Leave it out: -accel tcg is the default.',
  },
  virtfs: { args: true, why: 'there is no 9p server', instead: () => 'Put the files on a disk image.' },
  fsdev: { args: true, why: 'there is no 9p server', instead: () => 'Put the files on a disk image.' },
  vnc: { args: true, why: 'this board has no display', instead: () => 'Use the serial console.' },
  usb: { args: false, why: 'this board has no USB', instead: () => 'Use virtio devices.' },
  s: {
    args: false,
    why: 'there is no gdb server',
    instead: () => 'Use the monitor: info registers, stop, cont.',
  },
  gdb: {
    args: true,
    why: 'there is no gdb server',
    instead: () => 'Use the monitor: info registers, stop, cont.',
  },
  incoming: { args: true, why: 'migration is not available', instead: () => 'Leave it out.' },
  daemonize: {
    args: false,
    why: 'the machine runs in this process',
    instead: () => 'Leave it out, and use the shell (&).',
  },
  pflash: { args: true, why: 'this board has no flash', instead: () => 'Use -bios FILE.' },
};

const BY_NAME = new Map(OPTIONS.map((info) => [info.name, info]));
export const optionByName = (name: string): OptionInfo | undefined => BY_NAME.get(name);
