import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRIV_M, PRIV_S, PRIV_U } from '../layout.ts';
import { jalr, ld, nop, sd } from '../testing/encode.ts';
import { CAUSE, CSR, DATA, HartRig, RAM } from '../testing/hart-rig.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

const R = 1;
const W = 2;
const X = 4;
const TOR = 1 << 3;
const NA4 = 2 << 3;
const NAPOT = 3 << 3;
const L = 0x80;

/** Sets the entries in order: configuration and raw pmpaddr. */
function entries(...list: [cfg: number, addr: number][]): void {
  for (const [i, [, addr]] of list.entries()) hart.writeCsr(CSR.pmpaddr0 + i, BigInt(addr));
  const cfg = list.reduce((sum, [each], i) => sum | (BigInt(each) << BigInt(8 * i)), 0n);
  hart.writeCsr(CSR.pmpcfg0, cfg);
}

/** pmpaddr of a naturally aligned region of a power of two bytes. */
const napot = (base: number, bytes: number): number => Math.floor(base / 4) + bytes / 8 - 1;
const ALL = [NAPOT | R | W | X, napot(0, 2 ** 40)] as [number, number];
const CODE = [NAPOT | R | X, napot(RAM, 4096)] as [number, number];

/** Which of load, store and fetch succeed at `address` in `priv`. */
function rights(address: number, priv: 0 | 1 | 3, ...list: [cfg: number, addr: number][]): string {
  let result = '';
  for (const [name, word, cause] of [
    ['r', ld(7, 5, 0), CAUSE.loadAccess],
    ['w', sd(0, 5, 0), CAUSE.storeAccess],
    ['x', jalr(0, 5, 0), CAUSE.fetchAccess],
  ] as const) {
    rig.start([word], priv);
    hart.writeCsr(CSR.medeleg, 0n);
    entries(...list);
    rig.program(address, nop());
    hart.setX(5, BigInt(address));
    rig.step(name === 'x' ? 2 : 1);
    const trap = rig.machineTrap();
    if (trap === undefined) result += name;
    else expect(trap).toMatchObject({ cause, tval: BigInt(address) });
  }
  return result;
}

describe('physical memory protection', () => {
  it('with no entry S and U mode may do nothing, M mode everything', () => {
    expect(rights(DATA, PRIV_M)).toBe('rwx');
    rig.start([nop()], PRIV_U);
    hart.writeCsr(CSR.medeleg, 0n);
    hart.writeCsr(CSR.pmpcfg0, 0n);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.fetchAccess);
  });

  it('entries grant what they say, in S and U mode', () => {
    for (const priv of [PRIV_U, PRIV_S] as const)
      for (const [flags, allowed] of [
        [0, ''],
        [R, 'r'],
        [R | W, 'rw'],
        [X, 'x'],
        [R | X, 'rx'],
        [R | W | X, 'rwx'],
      ] as const)
        expect(rights(DATA, priv, CODE, [NAPOT | flags, napot(DATA, 4096)])).toBe(allowed);
  });

  it('the lowest-numbered entry that matches decides', () => {
    expect(rights(DATA, PRIV_S, CODE, [NAPOT | R, napot(DATA, 4096)], ALL)).toBe('r');
    expect(rights(DATA + 4096, PRIV_S, CODE, [NAPOT | R, napot(DATA, 4096)], ALL)).toBe('rwx');
  });

  it('top of range: from the previous address up to its own', () => {
    const list: [number, number][] = [CODE, [0, DATA / 4], [TOR | R, (DATA + 0x2000) / 4]];
    expect(rights(DATA, PRIV_S, ...list)).toBe('r');
    expect(rights(DATA + 0x1ff8, PRIV_S, ...list)).toBe('r');
    expect(rights(DATA + 0x2000, PRIV_S, ...list)).toBe('');
    expect(rights(DATA - 8, PRIV_S, ...list)).toBe('');
  });

  it('regions smaller than a page hold to the byte, whatever was accessed before', () => {
    rig.start([ld(7, 5, 0), ld(7, 6, 0)], PRIV_S);
    hart.writeCsr(CSR.medeleg, 0n);
    entries(CODE, [NAPOT, napot(DATA + 64, 64)], ALL);
    hart.setX(5, BigInt(DATA));
    hart.setX(6, BigInt(DATA + 64));
    rig.step();
    expect(rig.machineTrap()).toBeUndefined();
    rig.step();
    expect(rig.machineTrap()).toMatchObject({ cause: CAUSE.loadAccess, tval: BigInt(DATA + 64) });
  });

  it('an access that an entry matches only in part fails', () => {
    expect(rights(DATA, PRIV_S, CODE, [NA4 | R | W | X, DATA / 4], ALL)).toBe('x');
  });

  it('a locked entry binds M mode too and cannot be changed', () => {
    expect(rights(DATA, PRIV_M, CODE, [L | NAPOT | R, napot(DATA, 4096)])).toBe('r');
    hart.writeCsr(CSR.pmpcfg0, 0n);
    hart.writeCsr(CSR.pmpaddr0 + 1, 0n);
    expect((rig.csr(CSR.pmpcfg0) >> 8n) & 0xffn).toBe(BigInt(L | NAPOT | R));
    expect(rig.csr(CSR.pmpaddr0 + 1)).toBe(BigInt(napot(DATA, 4096)));
  });

  it('a locked top-of-range entry also locks the address below it', () => {
    rig.start([]);
    entries([0, 0x100], [L | TOR | R, 0x200]);
    hart.writeCsr(CSR.pmpaddr0, 0x180n);
    expect(rig.csr(CSR.pmpaddr0)).toBe(0x100n);
  });

  it('there are 16 entries, and write without read is not taken', () => {
    rig.start([]);
    for (let i = 0; i < 16; i++) {
      hart.writeCsr(CSR.pmpaddr0 + i, 0xffff_ffff_ffff_ffffn);
      expect(rig.csr(CSR.pmpaddr0 + i)).toBe(0x3f_ffff_ffff_ffffn);
    }
    hart.writeCsr(CSR.pmpcfg2, 0x1f1f_1f1f_1f1f_1f1fn);
    expect(rig.csr(CSR.pmpcfg2)).toBe(0x1f1f_1f1f_1f1f_1f1fn);
    hart.writeCsr(CSR.pmpcfg2, 0x1f1f_1f1f_1f1f_1f1an);
    expect(rig.csr(CSR.pmpcfg2)).toBe(0x1f1f_1f1f_1f1f_1f1fn);
  });

  it('reset to S mode leaves memory open, as firmware would', () => {
    rig.start([nop()], PRIV_S);
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 4));
  });
});
