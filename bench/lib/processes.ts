/** CPU time and memory of processes, from /proc. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** A process and its CPU time so far. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

let ticks: number | undefined;

/** `/proc/PID/stat`: parent, user and system time; undefined when it has ended. proc_pid_stat(5). */
function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticks;
    return { pid, parent: Number(fields[1]), cpuSeconds };
  } catch {
    return undefined;
  }
}

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** The process whose command line contains all words, and everything it started. */
export function processTree(...words: readonly string[]): readonly Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
  const tree = new Set(
    all.filter(({ pid }) => words.every((word) => commandLine(pid).includes(word))).map(({ pid }) => pid),
  );
  for (let size = -1; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  return all.filter(({ pid }) => tree.has(pid));
}

export const cpuSeconds = (processes: readonly Process[]): number =>
  processes.reduce((sum, { cpuSeconds: seconds }) => sum + seconds, 0);

/** A piece of an address space, in bytes. */
export interface Mapping {
  readonly start: number;
  readonly size: number;
  /** Its share of the memory it really occupies. */
  readonly pss: number;
}

/** `/proc/PID/smaps`, proc_pid_smaps(5). */
export function mappings(pid: number): readonly Mapping[] {
  const pieces = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const kib = (text: string, name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return pieces.map((text) => ({
    start: Number.parseInt(text, 16),
    size: kib(text, 'Size'),
    pss: kib(text, 'Pss'),
  }));
}

/** Bytes of the pages in a range that are present. `/proc/PID/pagemap`, proc_pid_pagemap(5): bit 63 of each entry. */
export function presentBytes(pid: number, start: number, size: number): number {
  const PAGE = 4096;
  const entries = Buffer.alloc((size / PAGE) * 8);
  const fd = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    readSync(fd, entries, 0, entries.length, (start / PAGE) * 8);
  } finally {
    closeSync(fd);
  }
  let present = 0;
  for (let at = 7; at < entries.length; at += 8) if ((entries[at] ?? 0) & 0x80) present++;
  return present * PAGE;
}

export const isRenderer = ({ pid }: { readonly pid: number }): boolean =>
  commandLine(pid).includes('--type=renderer');

interface ThreadTimes {
  readonly ranNs: number;
  readonly waitedNs: number;
}

/** `/proc/PID/task/TID/schedstat`: ns on a core, ns ready to run without one (Documentation/scheduler/sched-stats). */
function threadTimes(pids: readonly number[]): ReadonlyMap<string, ThreadTimes> {
  const times = new Map<string, ThreadTimes>();
  for (const pid of pids) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      try {
        const [ran, waited] = readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ');
        times.set(`${pid}/${tid}`, { ranNs: Number(ran), waitedNs: Number(waited) });
      } catch {
        // It has just ended.
      }
    }
  }
  return times;
}

/**
 * Does some work and tells which share of the time the busiest threads of the processes had a core while they wanted
 * one: 1 on a quiet machine, less where other processes take their part.
 *
 * @param threads how many threads do the work
 */
export async function withCoreShare<T>(
  pids: readonly number[],
  work: () => Promise<T>,
  threads = 1,
): Promise<{ readonly value: T; readonly share: number }> {
  const before = threadTimes(pids);
  const value = await work();
  const busiest = [...threadTimes(pids)]
    .map(([thread, { ranNs, waitedNs }]) => ({
      ranNs: ranNs - (before.get(thread)?.ranNs ?? 0),
      waitedNs: waitedNs - (before.get(thread)?.waitedNs ?? 0),
    }))
    .toSorted((a, b) => b.ranNs - a.ranNs)
    .slice(0, threads);
  const ran = busiest.reduce((sum, { ranNs }) => sum + ranNs, 0);
  const wanted = busiest.reduce((sum, { ranNs, waitedNs }) => sum + ranNs + waitedNs, 0);
  return { value, share: wanted === 0 ? 1 : ran / wanted };
}

/** Seconds each thread of some processes has run, by a name for people: `renderer/DedicatedWorker`. */
export function threadSeconds(processes: readonly Process[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const { pid } of processes) {
    const kind = /--type=([\w-]+)/.exec(commandLine(pid))?.[1] ?? 'browser';
    for (const [thread, { ranNs }] of threadTimes([pid])) {
      try {
        const name = readFileSync(`/proc/${pid}/task/${thread.split('/')[1] ?? ''}/comm`, 'utf8').trim();
        seconds.set(`${kind}/${name} ${thread}`, ranNs / 1e9);
      } catch {
        // It has just ended.
      }
    }
  }
  return seconds;
}
