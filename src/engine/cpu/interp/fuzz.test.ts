import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRIV_M, PRIV_S, PRIV_U } from '../layout.ts';
import { CSR, HartRig, RAM } from '../testing/hart-rig.ts';
import { random64 } from '../testing/values.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const RAM_BYTES = 0x4_0000;

/** Fills RAM with instructions: random words, half of them made to look like valid opcodes. */
function fill(rig: HartRig, seed: bigint): void {
  let state = Number(seed & 0xffff_ffffn) | 1;
  const opcodes = [
    0x03, 0x07, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x37, 0x3b, 0x43, 0x53, 0x63, 0x67, 0x6f,
    0x73,
  ];
  const { view } = rig.memory;
  for (let at = rig.at(RAM); at < rig.at(RAM) + RAM_BYTES; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const word = state >>> 0;
    const opcode = opcodes[word % opcodes.length] as number;
    view.setUint32(at, (word & 0x100) === 0 ? word : ((word & ~0x7f) | opcode) >>> 0, true);
  }
}

describe('whatever the guest executes', () => {
  it.each([1n, 2n, 3n, 4n])('never breaks the hart (seed %i)', (seed) => {
    const next = random64(seed * 0x9e3779b97f4a7c15n);
    const rig = new HartRig(module, { ramBytes: RAM_BYTES });
    const { hart } = rig;
    rig.busRead = (addr) => ((addr & 16) === 0 ? next() : undefined);
    rig.busWrite = (addr) => (addr & 32) === 0;
    let executed = 0n;
    for (let round = 0; round < 60; round++) {
      fill(rig, next());
      hart.reset(BigInt(RAM), 0n, 0n, ([PRIV_M, PRIV_S, PRIV_U] as const)[round % 3] ?? PRIV_M);
      hart.writeCsr(CSR.mstatus, next());
      if (round % 4 === 3) hart.writeCsr(CSR.satp, (8n << 60n) | BigInt((RAM >>> 12) + (round % 64)));
      hart.writeCsr(CSR.mtvec, BigInt(RAM) + (next() % BigInt(RAM_BYTES)));
      hart.writeCsr(CSR.stvec, BigInt(RAM) + (next() % BigInt(RAM_BYTES)));
      for (let i = 1; i < 32; i++) {
        const near = BigInt(RAM) + (next() % BigInt(RAM_BYTES));
        hart.setX(i, i % 3 === 0 ? next() : near);
        hart.setF(i, next());
      }
      for (let slice = 0; slice < 20; slice++) {
        const exit = hart.run(500);
        expect(['budget', 'wfi']).toContain(exit.kind);
        rig.ticks += 100;
      }
      expect(hart.getX(0)).toBe(0n);
      executed += hart.executed;
      rig.busLog.length = 0;
    }
    expect(executed).toBeGreaterThan(100_000n);
  });
});
