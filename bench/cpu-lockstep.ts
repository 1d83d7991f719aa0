/**
 * Boots Linux twice in lockstep, once interpreted and once translated, with a script for processes, pipes, floating
 * point and page faults, and compares registers after every slice and memory from time to time.
 */
import { readFileSync } from 'node:fs';
import { cpio } from '../guest/lib/cpio.mjs';
import type { TranslatorStatistics } from '../src/engine/cpu/jit/translator.ts';
import { compareHarts, compareMemory, describeDifferences } from '../src/engine/cpu/jit/lockstep.ts';
import { CpuBoard } from './cpu-board.ts';

export interface LockstepOptions {
  /** Folder with wasm/interp.wasm and guest/. */
  readonly build: URL;
  /** Where to end if the script has not ended before. */
  readonly maxInstructions: number;
}

export interface LockstepResult {
  readonly instructions: number;
  /** What the guest has printed. */
  readonly output: string;
  /** Pc, registers and what else differs after the first slice that differed. */
  readonly difference: string | undefined;
  readonly translations: TranslatorStatistics | undefined;
}

const MIB = 2 ** 20;
/** Slices are of any length up to this one, so that units end anywhere. */
const MAX_SLICE = 10_000;
const SLICES_PER_MEMORY = 20_000;
/** Translates far more than is good for speed. */
const EAGER = { threshold: 2, executions: 20, patience: 2 };

/** What runs after the boot. */
const SCRIPT = `#!/bin/sh
/bin/busybox mount -t proc proc /proc
b=/bin/busybox
for i in 1 2 3 4 5 6 7 8 9 10; do $b ls -lR /lib /bin | $b sort | $b md5sum; done
$b awk 'BEGIN { x = 1; for (i = 1; i < 20000; i++) { x = x / 3 + i / (x + 1); s += int(x) * 0.1 - x } printf "awk %.9f\\n", s }'
$b seq 1 20000 | $b sed 's/3/three/g' | $b gzip | $b gunzip | $b sha256sum
$b cat /lib/modules/*.ko | $b sha512sum
n=0; while [ $n -lt 300 ]; do n=$((n + 1)); $b true; done
$b find /proc -name stat | $b wc -l
echo "script is"" over"
$b poweroff -f
`;

/** Runs until the script is over, the machines differ, or the limit is reached. */
export function linuxInLockstep({ build, maxInstructions }: LockstepOptions): LockstepResult {
  const file = (name: string): Uint8Array => readFileSync(new URL(name, build));
  const script = cpio([{ path: 'lockstep', kind: 'file', mode: 0o755, data: Buffer.from(SCRIPT) }]);
  const options = {
    interpreter: new WebAssembly.Module(file('wasm/interp.wasm') as BufferSource),
    kernel: file('guest/Image'),
    initrd: Buffer.concat([file('guest/initrd.cpio'), script]),
    append: 'console=ttyS0 panic=-1 rdinit=/lockstep initcall_blacklist=jent_mod_init cryptomgr.notests',
    ramBytes: 128 * MIB,
  };
  const expected = new CpuBoard({ ...options, jit: false });
  const actual = new CpuBoard({ ...options, jit: EAGER });
  const words = (board: CpuBoard): Uint32Array =>
    board.mem.u32.subarray(board.ramOffset >>> 2, (board.ramOffset + board.ramBytes) >>> 2);
  let random = 1;
  let difference: string | undefined;
  for (let slice = 1; difference === undefined; slice++) {
    const from = expected.hart.pc;
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const length = 1 + ((random >>> 8) % MAX_SLICE);
    expected.slice(length);
    actual.slice(length);
    const differences = compareHarts(expected.hart, actual.hart);
    const over = expected.ended || Number(expected.hart.executed) >= maxInstructions;
    if (differences.length === 0 && (over || slice % SLICES_PER_MEMORY === 0)) {
      const found = compareMemory(0x8000_0000, words(expected), words(actual));
      if (found !== undefined) differences.push(found);
    }
    if (differences.length > 0)
      difference =
        `after ${expected.hart.executed} instructions, ` +
        `the last ${length} of them from pc 0x${from.toString(16)}:\n${describeDifferences(differences)}`;
    if (over) break;
  }
  return {
    instructions: Number(expected.hart.executed),
    output: expected.output,
    difference,
    translations: actual.hart.translations,
  };
}
