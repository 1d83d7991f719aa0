/** The C programs of bench/guest: built for the host and for the guest, and put on a disk image for the guest. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Guest, shell } from './conversation.ts';

const exec = promisify(execFile);

/** Debian's packages the guest's program and its image are made with. */
export const QBENCH_PACKAGES = [
  'gcc',
  'libc6-dev',
  'gcc-riscv64-linux-gnu',
  'libc6-dev-riscv64-cross',
  'e2fsprogs',
];

const SOURCES = ['qbench.c', 'compute.c', 'system.c', 'cold.c'];
const FLAGS = ['-O2', '-fno-math-errno', '-static', '-std=gnu17', '-Wall', '-Wextra', '-Werror'];

/** Compiles qbench unless it is up to date; returns the path of the program. */
export async function buildQbench(
  root: string,
  compiler: string,
  arch: string,
  more: readonly string[] = [],
): Promise<string> {
  const source = join(root, 'bench/guest');
  const target = join(root, 'build/bench', `qbench-${arch}`);
  const newest = Math.max(...readdirSync(source).map((name) => statSync(join(source, name)).mtimeMs));
  if ((statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return target;
  mkdirSync(join(root, 'build/bench'), { recursive: true });
  await exec(compiler, [...FLAGS, ...more, '-o', target, ...SOURCES.map((name) => join(source, name))]);
  return target;
}

/** An ext4 image labelled `qbench` with the riscv64 program; returns its path. */
export async function buildToolsImage(root: string): Promise<string> {
  const program = await buildQbench(root, 'riscv64-linux-gnu-gcc', 'riscv64');
  const image = join(root, 'build/bench/tools.ext4');
  if (existsSync(image) && statSync(image).mtimeMs > statSync(program).mtimeMs) return image;
  const tree = join(root, 'build/bench/tools');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree);
  cpSync(program, join(tree, 'qbench'));
  rmSync(image, { force: true });
  const options = ['-q', '-b', '4096', '-O', '^has_journal', '-L', 'qbench', '-d', tree];
  await exec('/sbin/mkfs.ext4', [...options, image, '4M']);
  return image;
}

/** One `result` line of qbench. */
export interface KernelRun {
  readonly kernel: string;
  readonly rate: number;
  readonly unit: string;
  /** Share of a core its process had, as the operating system it ran on says. */
  readonly share: number;
  readonly check: string;
}

/** Reads the `result` line out of what a terminal printed. */
export function parseKernelRun(output: string): KernelRun {
  const line = /result (kernel=\S+ rate=\S+ unit=\S+ rounds=\d+ us=\d+ share=\S+ check=[0-9a-f]+)/.exec(
    output,
  )?.[1];
  if (line === undefined) throw new Error(`qbench printed no result: ${output.slice(-300)}`);
  const fields = Object.fromEntries(line.split(' ').map((word) => word.split('=') as [string, string]));
  return {
    kernel: fields['kernel'] ?? '',
    rate: Number(fields['rate']),
    unit: fields['unit'] ?? '',
    share: Number(fields['share']),
    check: fields['check'] ?? '',
  };
}

export async function runOnHost(program: string, kernel: string, ms: number): Promise<KernelRun> {
  const { stdout } = await exec(program, [kernel, String(ms)], { timeout: 60_000 });
  return parseKernelRun(stdout);
}

export const runInGuest = async (guest: Guest, kernel: string, ms: number): Promise<KernelRun> =>
  parseKernelRun(await shell(guest, `/tmp/qbench ${kernel} ${ms}`, 120_000));
