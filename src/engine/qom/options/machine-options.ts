import { TRACE_EVENTS } from '../../trace/schema.ts';
import { bool, oneOf, onlyBool, size, str, uint } from '../property.ts';
import type { Arg } from './arg.ts';
import {
  CPU_FEATURES,
  type CpuConfig,
  type CpuFeature,
  type MachineConfig,
  type RtcConfig,
} from './config.ts';
import { parseOpts } from './opts.ts';
import { possible } from './suggest.ts';

export const MAX_HARTS = 8;
export const MIN_MEMORY = 8 * 2 ** 20;
export const MAX_MEMORY = 2 * 2 ** 30;

const NOT_ON_BOARD = 'this board does not have it';

export const MACHINE_OPTION = {
  type: oneOf('board', ['virt'], { default: 'virt' }),
  accel: oneOf('accelerator', ['tcg'], { default: 'tcg' }),
  usb: onlyBool('USB controller', false, NOT_ON_BOARD),
  acpi: onlyBool('ACPI tables', false, 'the board is described by a device tree'),
  graphics: onlyBool('display', false, NOT_ON_BOARD),
  aia: oneOf('interrupt architecture: the PLIC', ['none'], { default: 'none' }),
  aclint: bool('accepted: the timer and IPI registers are where CLINT and ACLINT both have them', {
    default: false,
  }),
} as const;

export function readMachine(arg: Arg): MachineConfig['machine'] {
  arg.bag('type').table(MACHINE_OPTION, 'machine');
  return { type: 'virt' };
}

export const ACCEL_OPTION = {
  accel: oneOf('accelerator', ['tcg'], { default: 'tcg' }),
  jit: bool('translate hot guest code to WebAssembly; off: interpreter only', { default: true }),
  thread: oneOf('each hart has a thread of its own', ['multi', 'single'], { default: 'multi' }),
  'tb-size': uint('accepted: the code cache has its own limit', {
    type: 'uint32',
    max: 2 ** 31,
    default: undefined,
  }),
  'one-insn-per-tb': onlyBool('one instruction per block', false, 'use -accel tcg,jit=off'),
} as const;

export function readAccel(arg: Arg): MachineConfig['accel'] {
  const bag = arg.bag('accel');
  const name = parseOpts(arg.text, 'accel')[0]?.value;
  if (name !== undefined && ['kvm', 'hvf', 'whpx', 'xen', 'nvmm', 'qtest'].includes(name))
    arg.fail(
      `invalid accelerator ${name}`,
      'A page has no access to hardware virtualization: use -accel tcg.',
      [0, name.length],
    );
  const props = bag.table(ACCEL_OPTION, 'tcg');
  if (props.thread === 'single')
    bag.arg.note('thread=single: harts run in threads of their own all the same');
  return { type: 'tcg', jit: props.jit ?? true };
}

const FEATURES_OFF = ['h', 'v', 'zbkb', 'svnapot', 'svpbmt'] as const;

/** What `-cpu rv64,…` switches. */
export const CPU_OPTION = {
  sstc: bool('Sstc: supervisor timer compare', { default: true }),
  svadu: bool('Svadu: hardware sets A and D bits', { default: true }),
  sv48: bool('Sv48 as well as Sv39', { default: true }),
  ...Object.fromEntries(
    FEATURES_OFF.map((name) => [name, onlyBool(`${name} extension`, false, 'it is not implemented')]),
  ),
} as Record<CpuFeature, ReturnType<typeof bool>> & Record<string, ReturnType<typeof bool>>;

export function readCpu(arg: Arg): CpuConfig {
  const bag = arg.bag('model');
  const span = bag.valueSpan('model');
  const model = bag.string('model');
  if (model !== 'rv64' && model !== 'max' && model !== 'rva22s64')
    arg.fail(`unable to find CPU model '${model ?? ''}'`, possible(model ?? '', ['rv64', 'max']), span);
  const props = bag.table(CPU_OPTION, 'rv64-riscv-cpu');
  return {
    model: 'rv64',
    features: Object.fromEntries(
      CPU_FEATURES.flatMap((name) => (props[name] === undefined ? [] : [[name, props[name]]])),
    ),
  };
}

const harts = (description: string) =>
  uint(description, { type: 'uint32', min: 1, max: MAX_HARTS, default: undefined });
export const SMP_OPTION = {
  cpus: harts('harts'),
  maxcpus: harts('as cpus: harts are not hot-plugged'),
  sockets: harts('accepted if the product is the number of harts'),
  clusters: harts('as sockets'),
  cores: harts('as sockets'),
  threads: harts('as sockets'),
} as const;

export function readSmp(arg: Arg): number {
  const bag = arg.bag('cpus');
  const props = bag.table(SMP_OPTION, 'smp');
  const product = (props.sockets ?? 1) * (props.clusters ?? 1) * (props.cores ?? 1) * (props.threads ?? 1);
  const cpus = props.cpus ?? props.maxcpus ?? product;
  const topology = props.sockets ?? props.clusters ?? props.cores ?? props.threads;
  if (props.maxcpus !== undefined && props.maxcpus !== cpus)
    bag.fail('maxcpus', 'maxcpus must be equal to cpus: harts are not hot-plugged');
  if (topology !== undefined && product !== cpus)
    arg.fail(`Invalid CPU topology: product of the hierarchy must match maxcpus: ${product} != ${cpus}`);
  if (cpus > MAX_HARTS)
    arg.fail(`Invalid SMP CPUs ${cpus}. The max CPUs supported by machine 'virt' is ${MAX_HARTS}`);
  return cpus;
}

export const MEMORY_OPTION = {
  size: size('guest RAM; a bare number is MiB', {
    default: 256 * 2 ** 20,
    min: MIN_MEMORY,
    max: MAX_MEMORY,
    unit: 2 ** 20,
  }),
} as const;

export function readMemory(arg: Arg): number {
  const bag = arg.bag('size');
  const bytes = bag.table(MEMORY_OPTION, 'memory').size ?? MEMORY_OPTION.size.default;
  if (bytes % 2 ** 20 !== 0) arg.fail('guest RAM must be a whole number of MiB');
  return bytes;
}

export const RTC_OPTION = {
  base: str('utc, localtime or a date (2006-06-17T16:01:21)', { default: 'utc' }),
  clock: oneOf('what drives it', ['host', 'vm', 'rt'], { default: 'host' }),
  driftfix: oneOf('accepted', ['none'], { default: 'none' }),
} as const;

export function readRtc(arg: Arg): RtcConfig {
  const bag = arg.bag(undefined);
  const span = bag.valueSpan('base');
  const props = bag.table(RTC_OPTION, 'rtc');
  const base = props.base ?? 'utc';
  const clock = props.clock ?? 'host';
  if (base === 'utc' || base === 'localtime') return { base, clock };
  const date = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$/.test(base)
    ? Date.parse(base.includes('T') ? `${base}Z` : base)
    : Number.NaN;
  if (Number.isNaN(date))
    return arg.fail(`invalid datetime '${base}'`, 'utc, localtime, 2006-06-17T16:01:21 or 2006-06-17.', span);
  return { base: { epochSeconds: date / 1000 }, clock };
}

export const TRACE_OPTION = {
  enable: str('event name, or a pattern with *', { default: undefined, required: true }),
} as const;

/** What a snapshot can be called: its tag is the name of its file. */
export const SNAPSHOT_TAG = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function readSnapshotTag(arg: Arg): string {
  if (!SNAPSHOT_TAG.test(arg.text))
    arg.fail('this is no name of a snapshot', 'Letters, digits, dots, dashes and underscores, at most 64.');
  return arg.text;
}

/** Names of trace events a pattern with `*` and `?` means. */
export function traceEventsMatching(pattern: string): readonly string[] {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const regex = new RegExp(`^${source}$`);
  return TRACE_EVENTS.filter((event) => regex.test(event.name)).map((event) => event.name);
}

export function readTrace(arg: Arg): string {
  const bag = arg.bag('enable');
  for (const file of ['events', 'file'] as const)
    if (bag.has(file))
      bag.fail(
        file,
        `-trace ${file}= is not available: traces are read from shared memory`,
        'Use -trace enable=PATTERN, and export the trace from the page or with trace-event-get-state.',
      );
  const pattern = bag.table(TRACE_OPTION, 'trace').enable ?? '';
  if (traceEventsMatching(pattern).length === 0)
    bag.fail(
      'enable',
      `unknown trace event '${pattern}'`,
      possible(
        pattern,
        TRACE_EVENTS.map((event) => event.name),
      ),
    );
  return pattern;
}
