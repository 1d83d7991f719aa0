/**
 * The benchmark's C kernels in Linux on one hart without threads, without a browser and without disks: what tuning
 * the processor takes. Rates are per second of a core this thread had, and checksums must be the host's.
 *
 * Usage: cpu-kernels [--who jit,interp,qemu] [--kernels a,b] [--ms 400] [--runs 1]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpio } from '../guest/lib/cpio.mjs';
import { CpuBoard } from './cpu-board.ts';
import { type Guest, shell } from './lib/conversation.ts';
import { withCoreShare } from './lib/processes.ts';
import { buildQbench, parseKernelRun, runOnHost } from './lib/qbench.ts';
import { QemuMachine } from './lib/qemu.ts';

const KERNELS =
  'coremark-like,sieve,sha256,bytecode,page-fault,pipe,fork-exec,syscall,cold,xorshift,nbody,chase,memcpy';
const { values } = parseArgs({
  options: {
    who: { type: 'string', default: 'interp,jit' },
    kernels: { type: 'string', default: KERNELS },
    ms: { type: 'string', default: '400' },
    runs: { type: 'string', default: '1' },
    /** JSON of TranslatorTuning. */
    tuning: { type: 'string', default: '{}' },
  },
});
const ms = Number(values.ms);
const root = process.cwd();
const MIB = 2 ** 20;
const SLICE = 100_000;
const PROMPT = 'ready# ';
const APPEND = 'console=ttyS0 panic=-1 rdinit=/kernels initcall_blacklist=jent_mod_init cryptomgr.notests';

const program = await buildQbench(root, 'riscv64-linux-gnu-gcc', 'riscv64');
const native = await buildQbench(root, 'gcc', 'host');
const kernel = readFileSync(join(root, 'build/guest/Image'));
const script = `#!/bin/sh
mount -t proc proc /proc
export PS1='${PROMPT}'
exec /bin/sh -i
`;
const added = cpio([
  { path: 'kernels', kind: 'file', mode: 0o755, data: Buffer.from(script) },
  { path: 'tmp', kind: 'dir' },
  { path: 'tmp/qbench', kind: 'file', mode: 0o755, data: readFileSync(program) },
]);
const initrd = Buffer.concat([readFileSync(join(root, 'build/guest/initrd.cpio')), added]);

/** Our processor as a guest: it runs while somebody waits for its output. */
class Ours implements Guest {
  readonly who: string;
  readonly board: CpuBoard;
  #read = 0;

  constructor(who: string, jit: boolean) {
    this.who = who;
    const began = process.hrtime.bigint();
    this.board = new CpuBoard({
      interpreter: new WebAssembly.Module(readFileSync(join(root, 'build/wasm/interp.wasm'))),
      kernel,
      initrd,
      append: APPEND,
      ramBytes: 256 * MIB,
      jit: jit && { ...JSON.parse(values.tuning), nowMs: () => performance.now() },
      timeTicks: () => Number((process.hrtime.bigint() - began) / 100n),
    });
  }

  async send(text: string): Promise<void> {
    this.board.type(text);
  }

  async expect(pattern: RegExp, timeoutMs = 120_000): Promise<string> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      for (let i = 0; i < 20; i++) this.board.slice(SLICE);
      // The compiler's threads report to this one.
      await new Promise((resolve) => setImmediate(resolve));
      const match = pattern.exec(this.board.output.slice(this.#read));
      if (match !== null) {
        const found = this.board.output.slice(this.#read, this.#read + match.index + match[0].length);
        this.#read += found.length;
        return found;
      }
      if (Date.now() > end)
        throw new Error(`${this.who}: no ${String(pattern)}: ${this.board.output.slice(-500)}`);
    }
  }

  pids(): readonly number[] {
    return [process.pid];
  }
}

function qemu(): Guest {
  const file = join(tmpdir(), `cpu-kernels-${process.pid}.cpio`);
  writeFileSync(file, initrd);
  const image = join(root, 'build/guest/Image');
  return new QemuMachine('qemu', ['-m', '256M', '-kernel', image, '-initrd', file, '-append', APPEND]);
}

const guests: Guest[] = values.who
  .split(',')
  .map((who) => (who === 'qemu' ? qemu() : new Ours(who, who === 'jit')));
for (const guest of guests) {
  const { share } = await withCoreShare(guest.pids(), async () => {
    const began = performance.now();
    await guest.expect(/ready# /);
    console.log(`${guest.who}: boot ${((performance.now() - began) / 1000).toFixed(2)} s`);
  });
  console.log(`  share ${share.toFixed(2)}`);
  const translator = guest instanceof Ours ? guest.board.hart.translations : undefined;
  if (translator !== undefined) {
    const { pages, units, modules, emitMs, compileMs } = translator;
    const emitting = `${pages} looks at pages and ${units} units ${emitMs.toFixed(0)} ms`;
    console.log(`  ${emitting}, ${modules} modules ${compileMs.toFixed(0)} ms`);
  }
}
for (const name of values.kernels.split(',')) {
  const { check } = await runOnHost(native, name, 1);
  for (let run = 0; run < Number(values.runs); run++) {
    const line = [name.padEnd(14)];
    const rates: number[] = [];
    for (const guest of guests) {
      const before = guest instanceof Ours ? Number(guest.board.hart.executed) : 0;
      const units = guest instanceof Ours ? { ...guest.board.hart.translations } : undefined;
      const began = performance.now();
      const { value, share } = await withCoreShare(guest.pids(), async () =>
        parseKernelRun(await shell(guest, `/tmp/qbench ${name} ${ms}`, 120_000)),
      );
      const seconds = ((performance.now() - began) / 1000) * share;
      if (value.check !== check)
        throw new Error(`${guest.who} computes ${name} wrong: ${value.check}, not ${check}`);
      rates.push(value.rate / share);
      line.push(`${guest.who} ${(value.rate / share).toPrecision(4)} ${value.unit}`);
      if (guest instanceof Ours) {
        const mips = (Number(guest.board.hart.executed) - before) / seconds / 1e6;
        line.push(`(${mips.toFixed(0)} MIPS`);
        const now = guest.board.hart.translations;
        if (now !== undefined && units !== undefined)
          line.push(`+${now.units - units.units!} units +${now.modules - units.modules!} modules`);
        line.push(')');
      }
    }
    if (rates.length > 1)
      line.push(
        `ratio of the first to the others ${rates
          .slice(1)
          .map((rate) => (rates[0]! / rate).toFixed(2))
          .join(' ')}`,
      );
    console.log(line.join(' '));
  }
}
process.exit(0);
