import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { MIP_SSIP, PRIV_S } from '../layout.ts';
import { addi, csrrs, csrrw, iType, jal, OPCODE, SRET } from '../testing/encode.ts';
import { CSR, HartRig, S_HANDLER } from '../testing/hart-rig.ts';
import { findBlocks } from './blocks.ts';
import { compareHarts, describeDifferences } from './lockstep.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const SIE = 2;
const set = (csr: number, bits: number): number => iType(OPCODE.system, 6, 0, bits, csr);
const clear = (csr: number, bits: number): number => iType(OPCODE.system, 7, 0, bits, csr);
const [CRITICAL, OPEN, TIME, TRAPS] = [5, 6, 7, 8];

/** Critical sections one after the other, as a kernel has them, and what a trap does. */
const SECTIONS = [
  clear(CSR.sstatus, SIE),
  addi(CRITICAL, CRITICAL, 1),
  csrrs(TIME, CSR.time, 0),
  csrrw(0, CSR.sscratch, CRITICAL),
  set(CSR.sstatus, SIE),
  addi(OPEN, OPEN, 1),
  jal(0, -4 * 6),
];
const HANDLER = [clear(CSR.sip, MIP_SSIP), addi(TRAPS, TRAPS, 1), SRET];

describe('CSRs in translated code', () => {
  let expected: HartRig;
  let actual: HartRig;

  /** Runs both by so many instructions. */
  const run = (count: number): void => {
    for (const { hart } of [expected, actual]) hart.run(count);
    const differences = compareHarts(expected.hart, actual.hart);
    if (differences.length > 0) expect.fail(describeDifferences(differences));
  };

  beforeEach(() => {
    expected = new HartRig(module);
    actual = new HartRig(module, { jit: { threshold: 1, executions: 0, batch: 1, patience: 0 } });
    for (const rig of [expected, actual]) {
      rig.program(S_HANDLER, ...HANDLER);
      rig.start(SECTIONS, PRIV_S);
      rig.hart.writeCsr(CSR.mideleg, BigInt(MIP_SSIP));
      rig.hart.writeCsr(CSR.mie, BigInt(MIP_SSIP));
      rig.ticks = 1234;
    }
    run(5000);
    expect(actual.hart.translations?.units).toBe(1);
  });

  it('leave nothing to the interpreter, but what changes the rights to memory', () => {
    const endsOf = (words: readonly number[]): string[] => {
      const code = Uint32Array.from(words);
      const halfwords = new Uint16Array(code.buffer);
      const page = {
        halfword: (offset: number) => halfwords[offset / 2] ?? 0,
        decoded: (offset: number) => offset % 4 === 0 && offset < code.byteLength,
        expand: () => 0,
      };
      return findBlocks(page).map(({ end }) => end.kind);
    };
    expect(endsOf(SECTIONS)).not.toContain('interpret');
    expect(endsOf([csrrw(0, CSR.satp, CRITICAL)])).toEqual(['interpret']);
  });

  it('read and write what the interpreter reads and writes', () => {
    const executed = (): number => Number(actual.hart.executed);
    const before = { executed: executed(), opened: actual.hart.getX(OPEN) };
    run(70_000);
    expect(Number(actual.hart.getX(OPEN) - before.opened)).toBe((executed() - before.executed) / 7);
    expect(actual.hart.getX(TIME)).toBe(1234n);
    expect(actual.hart.translations?.units).toBe(1);
  });

  it('let an interrupt in at the very end of the critical section in which it came', () => {
    for (let came = 0; came < 40; came++) {
      run(1 + came);
      const traps = actual.hart.getX(TRAPS);
      for (const { hart } of [expected, actual]) hart.setIrqLine(MIP_SSIP, true);
      run(20);
      expect(actual.hart.getX(TRAPS)).toBe(traps + 1n);
    }
  });
});
