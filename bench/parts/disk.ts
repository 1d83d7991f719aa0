import { profileInWords } from '../lib/browser.ts';
import { type Guest, shell } from '../lib/conversation.ts';
import type { Lab } from '../lib/lab.ts';
import { type RawLoad, runRawOpfs } from '../lib/raw-opfs.ts';
import { atLeast, type BenchResult, compared, measured, skipped, type Target } from '../lib/result.ts';
import { eventsThatAreOn, switchEvents } from '../lib/trace-events.ts';
import { Unavailable } from '../lib/unavailable.ts';
import type { Part } from './part.ts';

/** One load, for fio in Linux and as the same pattern of calls on raw OPFS. */
export interface Load {
  readonly name: string;
  readonly rw: 'randread' | 'randwrite' | 'read' | 'write';
  readonly blockBytes: number;
  readonly depth: number;
  /** fio's buffers lie in huge pages, aligned to them: one segment per request in place of 256. */
  readonly hugePages?: boolean;
  readonly vsQemu?: Target;
  readonly vsOpfs?: Target;
}

const KIB = 1024;
const LOADS: readonly Load[] = [
  { name: 'randread-4k-qd1', rw: 'randread', blockBytes: 4 * KIB, depth: 1 },
  { name: 'randread-4k-qd16', rw: 'randread', blockBytes: 4 * KIB, depth: 16, vsQemu: atLeast(1) },
  { name: 'randwrite-4k-qd1', rw: 'randwrite', blockBytes: 4 * KIB, depth: 1 },
  { name: 'randwrite-4k-qd16', rw: 'randwrite', blockBytes: 4 * KIB, depth: 16 },
  {
    name: 'seqread-1m',
    rw: 'read',
    blockBytes: 1024 * KIB,
    depth: 4,
    hugePages: true,
    vsQemu: atLeast(1),
    vsOpfs: atLeast(0.5),
  },
  { name: 'seqread-1m-small-pages', rw: 'read', blockBytes: 1024 * KIB, depth: 4 },
  { name: 'seqwrite-1m', rw: 'write', blockBytes: 1024 * KIB, depth: 4 },
];

/** Large blocks are told in MB/s, small ones in requests per second. */
const inUnit = (load: Load, perSecond: number): number =>
  load.blockBytes >= 1024 * KIB ? (perSecond * load.blockBytes) / 1e6 : perSecond;
const unitOf = (load: Load): string => (load.blockBytes >= 1024 * KIB ? 'MB/s' : 'IOPS');

/** Whole seconds of a disk run: fio takes no less. */
const secondsOf = (lab: Lab): number => Math.max(1, Math.round((lab.options.kernelMs * 4) / 1000));

/** Requests per second of a fio job on the data disk. Terse output version 3: fio's manual, TERSE OUTPUT. */
export async function fio(guest: Guest, load: Load, seconds: number): Promise<number> {
  const options = [
    'name=b filename=/dev/data direct=1 ioengine=libaio time_based=1 norandommap=1 minimal',
    `rw=${load.rw} bs=${load.blockBytes} iodepth=${load.depth} runtime=${seconds}`,
    load.hugePages === true ? 'iomem_align=2097152' : '',
  ].join(' ');
  const words = options.replaceAll(/(\S+)/g, '--$1');
  // Below 512 MB of RAM Linux starts with them off. A kernel without huge pages has no such file.
  const pages = '/sys/kernel/mm/transparent_hugepage/enabled';
  await shell(guest, `test ! -w ${pages} || echo ${load.hugePages === true ? 'always' : 'never'} > ${pages}`);
  const output = await shell(guest, `fio ${words} | cut -d';' -f1,5,8,49`, 60_000 + seconds * 1000);
  const fields = /\b3;(\d+);(\d+);(\d+)\r?$/m.exec(output);
  if (fields === null) throw new Error(`fio said: ${output.slice(-400)}`);
  if (fields[1] !== '0') throw new Error(`fio ended with error ${fields[1]}`);
  return Number(fields[2]) + Number(fields[3]);
}

const rawLoad = ({ rw, blockBytes }: Load, ms: number): RawLoad => ({
  file: 'raw.img',
  operation: rw.endsWith('read') ? 'read' : 'write',
  random: rw.startsWith('rand'),
  blockBytes,
  ms,
});

/** fio on the data disk: ours, raw OPFS and QEMU in turn. */
async function linuxLoad(lab: Lab, load: Load, qemu: Guest | undefined): Promise<readonly BenchResult[]> {
  const guest = await lab.linux();
  const { page } = await lab.browser();
  const seconds = secondsOf(lab);
  const [ours, raw, theirs]: [number[], number[], number[]] = [[], [], []];
  let note = '';
  for (let run = 0; run < lab.options.runs; run++) {
    const { value, profile } = await guest.profile(() => fio(guest, load, seconds));
    note = profileInWords(profile);
    ours.push(inUnit(load, value));
    raw.push(inUnit(load, await runRawOpfs(page, rawLoad(load, lab.options.kernelMs))));
    if (qemu !== undefined) theirs.push(inUnit(load, await fio(qemu, load, seconds)));
  }
  const more = (target?: Target) => (target === undefined ? { note } : { target, note });
  const name = `disk/fio-${load.name}`;
  return [
    qemu === undefined
      ? skipped(`${name}-vs-qemu`, 'qemu-system-riscv64 is not installed')
      : compared(`${name}-vs-qemu`, unitOf(load), { ours, theirs }, qemu.who, more(load.vsQemu)),
    compared(
      `${name}-vs-opfs`,
      unitOf(load),
      { ours, theirs: raw },
      'raw OPFS from a worker',
      more(load.vsOpfs),
    ),
  ];
}

/** Seconds of reads before those that count, as fio's ramp_time: guest code is translated then, and the page's by V8. */
const RAMP_SECONDS = 2;
/** A second of reads takes whatever the scheduler makes of two threads on two cores: fewer than this say little. */
const LEAST_RUNS = 7;

/** The built-in guest: the disk path with as few guest instructions as there can be. */
async function bareLoads(lab: Lab): Promise<readonly BenchResult[]> {
  const guest = await lab.bare();
  const { page } = await lab.browser();
  const load: Load = { name: 'randread-4k-qd16', rw: 'randread', blockBytes: 4 * KIB, depth: 16 };
  const read = async (on: Guest): Promise<number> => {
    await on.send(`read rand qd 16 secs ${secondsOf(lab)}\n`);
    const line = await on.expect(/result op=read[^\n]*\n/);
    const field = (key: string): number => Number(new RegExp(`\\b${key}=(\\d+)`).exec(line)?.[1]);
    if (field('errors') !== 0 || field('lost') !== 0)
      throw new Error(`the built-in guest found errors: ${line}`);
    await on.expect(/> $/);
    return field('iops');
  };
  const qemu = await lab.qemuBare().catch((error: unknown) => {
    if (error instanceof Unavailable) return undefined;
    throw error;
  });
  const [ours, raw, theirs]: [number[], number[], number[]] = [[], [], []];
  const [untraced, rawBeside]: [number[], number[]] = [[], []];
  const traced = await eventsThatAreOn(guest);
  let note = '';
  const first = await read(guest);
  const rawAtFirst = await runRawOpfs(page, rawLoad(load, lab.options.kernelMs));
  for (let second = 0; second < RAMP_SECONDS; second++) {
    await read(guest);
    if (qemu !== undefined) await read(qemu);
  }
  for (let run = 0; run < Math.max(LEAST_RUNS, lab.options.runs); run++) {
    const { value, profile } = await guest.profile(() => read(guest));
    note = profileInWords(profile);
    ours.push(value);
    raw.push(await runRawOpfs(page, rawLoad(load, lab.options.kernelMs)));
    if (qemu !== undefined) theirs.push(await read(qemu));
    await switchEvents(guest, traced, false);
    untraced.push(await read(guest));
    await switchEvents(guest, traced, true);
    rawBeside.push(await runRawOpfs(page, rawLoad(load, lab.options.kernelMs)));
  }
  const name = 'disk/bare-randread-4k-qd16';
  return [
    compared(`${name}-vs-opfs`, 'IOPS', { ours, theirs: raw }, 'raw OPFS from a worker', {
      target: atLeast(0.5),
      note,
    }),
    compared(
      `${name}-first-vs-opfs`,
      'IOPS',
      { ours: [first], theirs: [rawAtFirst] },
      'raw OPFS from a worker',
      { note: 'the first read of the guest after its start' },
    ),
    compared(
      `${name}-untraced-vs-opfs`,
      'IOPS',
      { ours: untraced, theirs: rawBeside },
      'raw OPFS from a worker',
      { note: `with the ${traced.length} events that are on at start switched off` },
    ),
    qemu === undefined
      ? measured(name, 'IOPS', ours)
      : compared(`${name}-vs-qemu`, 'IOPS', { ours, theirs }, qemu.who),
  ];
}

/** virtio-blk on OPFS: against native QEMU with the same kernel, disk and fio job, and against the raw file. */
export const disk: Part = {
  name: 'disk',
  limitSeconds: 420,
  owes: [
    'disk/fio-randread-4k-qd16-vs-qemu',
    'disk/fio-seqread-1m-vs-qemu',
    'disk/fio-seqread-1m-vs-opfs',
    'disk/bare-randread-4k-qd16-vs-opfs',
  ],
  async run(lab, report) {
    // A v86 at its prompt, left by the part before, takes what the threads of a disk want.
    await lab.stopPeers();
    await lab.browser();
    await lab.fillOpfs('raw.img');
    try {
      const guest = await lab.linux();
      const qemu = await lab.qemu().catch((error: unknown) => {
        if (error instanceof Unavailable) return undefined;
        throw error;
      });
      // Once for the program's and the translators' caches.
      for (const machine of [guest, ...(qemu === undefined ? [] : [qemu])])
        for (const load of LOADS.slice(1, 2)) await fio(machine, load, 1);
      for (const load of LOADS) report(...(await linuxLoad(lab, load, qemu)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      for (const name of this.owes.filter((owed) => owed.includes('/fio-')))
        report(skipped(name, error.message));
    }
    report(...(await bareLoads(lab)));
  },
};
