import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DECODE_PAGES, PRIV_S } from '../layout.ts';
import { addi, amo, FENCE_I, jal, jalr, lbu, nop, sb, sd, sw } from '../testing/encode.ts';
import { CSR, DATA, HartRig, RAM } from '../testing/hart-rig.ts';
import { AD, PageTable, RWX } from '../testing/page-table.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const rig = new HartRig(module);
const { hart } = rig;

/** A page whose code changes; x5 points to it. */
const TARGET = DATA;
/** Instructions executed in between, on a page of their own. */
const AUX = RAM + 0x3000;
const RETURN = jalr(0, 1, 0);

/** Calls TARGET once; returns x9. */
function call(): bigint {
  hart.setX(9, 0n);
  hart.pc = BigInt(RAM);
  rig.step(3);
  return hart.getX(9);
}

function start(): void {
  rig.start([jalr(1, 5, 0)]);
  hart.setX(5, BigInt(TARGET));
  rig.program(TARGET, addi(9, 0, 1), RETURN);
}

describe('H6: stores of this hart into code it has executed', () => {
  it.each([
    ['sw', sw(6, 5, 0), BigInt(addi(9, 0, 2))],
    ['sd', sd(6, 5, 0), BigInt(addi(9, 0, 2)) | (BigInt(RETURN) << 32n)],
    ['amoswap', amo(1, 4, 0, 5, 6), BigInt(addi(9, 0, 2))],
  ])('%s', (_, store, value) => {
    start();
    expect(call()).toBe(1n);
    rig.program(AUX, store);
    hart.setX(6, value);
    hart.pc = BigInt(AUX);
    rig.step();
    expect(call()).toBe(2n);
  });

  it('so many that the page is taken for data, again and again', () => {
    start();
    rig.program(AUX, sw(6, 5, 0), addi(6, 6, 0), jal(0, -8));
    for (let round = 1; round <= 6; round++) {
      const value = round + 100;
      hart.setX(6, BigInt(addi(9, 0, value)));
      hart.pc = BigInt(AUX);
      const stores = 20 << round;
      rig.step(3 * stores);
      const before = hart.counters.tlbRefills;
      hart.pc = BigInt(AUX);
      rig.step(3);
      // The page is open: its store is in the TLB.
      expect(hart.counters.tlbRefills).toBe(before);
      expect(call()).toBe(BigInt(value));
    }
  });

  it('from the page itself, however many', () => {
    start();
    // x6 alternates between two instructions; what is stored is executed at once.
    rig.program(TARGET, sw(6, 5, 8), addi(10, 10, 1), addi(9, 0, 1), jal(0, -12));
    hart.setX(10, 0n);
    for (let i = 0; i < 200; i++) {
      hart.setX(6, BigInt(addi(9, 0, i & 1023)));
      hart.pc = BigInt(TARGET);
      rig.step(3);
      expect(hart.getX(9)).toBe(BigInt(i & 1023));
    }
  });

  it('through another mapping of the same frame', () => {
    rig.start([jalr(1, 5, 0)], PRIV_S);
    const table = new PageTable(rig, 'sv39', RAM + 0x30_0000);
    table.map(BigInt(RAM), RAM, RWX | AD);
    table.map(BigInt(AUX), AUX, RWX | AD);
    table.map(0x1000_0000n, TARGET, RWX | AD);
    table.map(0x2000_0000n, TARGET, RWX | AD);
    hart.writeCsr(CSR.satp, table.satp);
    rig.program(TARGET, addi(9, 0, 1), RETURN);
    rig.program(AUX, sw(6, 7, 0), sw(6, 7, 0));
    hart.setX(5, 0x1000_0000n);
    hart.setX(6, BigInt(addi(9, 0, 2)));
    hart.setX(7, 0x2000_0000n + 0x800n);
    // The alias is in the write TLB before the frame becomes code.
    hart.pc = BigInt(AUX);
    rig.step();
    expect(call()).toBe(1n);
    hart.setX(7, 0x2000_0000n);
    hart.pc = BigInt(AUX + 4);
    rig.step();
    expect(call()).toBe(2n);
  });

  it('change the second halfword of an instruction only', () => {
    start();
    expect(call()).toBe(1n);
    rig.program(AUX, sb(6, 5, 3));
    hart.setX(6, 0x05n);
    hart.pc = BigInt(AUX);
    rig.step();
    expect(call()).toBe(0x51n);
  });

  it('the next instruction may be the one just written', () => {
    rig.start([sw(6, 5, 4), addi(9, 0, 1)]);
    hart.setX(5, BigInt(RAM));
    hart.setX(6, BigInt(addi(9, 0, 2)));
    rig.step(2);
    expect(hart.getX(9)).toBe(2n);
  });

  it('data beside code keeps its value, and the code its meaning', () => {
    rig.start([addi(6, 6, 1), sd(6, 5, 0), jal(0, -8)]);
    hart.setX(5, BigInt(RAM + 0x200));
    rig.step(3000);
    expect(rig.peek64(RAM + 0x200)).toBe(1000n);
    expect(hart.getX(6)).toBe(1000n);
  });
});

describe('H6: writes from outside', () => {
  it('are executed after fence.i', () => {
    start();
    expect(call()).toBe(1n);
    rig.program(TARGET, addi(9, 0, 3));
    rig.program(AUX, FENCE_I);
    hart.pc = BigInt(AUX);
    rig.step();
    expect(call()).toBe(3n);
  });

  it('into the page being executed, right behind the fence.i', () => {
    rig.start([FENCE_I, addi(9, 0, 1)]);
    rig.step(2);
    expect(hart.getX(9)).toBe(1n);
    rig.program(RAM + 4, addi(9, 0, 2));
    hart.pc = BigInt(RAM);
    rig.step(2);
    expect(hart.getX(9)).toBe(2n);
  });

  it('and back again between two fences', () => {
    start();
    rig.program(AUX, FENCE_I);
    for (const value of [1, 2, 1, 3, 1]) {
      rig.program(TARGET, addi(9, 0, value));
      hart.pc = BigInt(AUX);
      rig.step();
      expect(call()).toBe(BigInt(value));
    }
  });

  it('are executed after flush', () => {
    start();
    expect(call()).toBe(1n);
    rig.program(TARGET, addi(9, 0, 4));
    hart.flush();
    expect(call()).toBe(4n);
  });

  it('data of a page is always current, decoded or not', () => {
    rig.start([lbu(7, 5, 0x200)]);
    hart.setX(5, BigInt(RAM));
    for (const value of [1n, 2n]) {
      rig.poke64(RAM + 0x200, value);
      hart.pc = BigInt(RAM);
      rig.step();
      expect(hart.getX(7)).toBe(value);
    }
  });
});

describe('the pool of decoded pages', () => {
  it('replaces the oldest when code is spread over more pages than it holds', () => {
    const large = new HartRig(module, { ramBytes: 0x100_0000 });
    const first = 0x10;
    const last = first + DECODE_PAGES + 500;
    large.start([jal(0, first * 4096)]);
    // A chain of jumps: every page counts itself.
    for (let page = first; page < last; page++)
      large.program(RAM + page * 4096, addi(9, 9, 1), jal(0, 4096 - 4));
    large.program(RAM + last * 4096, nop());
    for (let round = 1; round <= 3; round++) {
      large.hart.pc = BigInt(RAM);
      large.step(1 + 2 * (last - first));
      expect(large.hart.pc).toBe(BigInt(RAM + last * 4096));
      expect(large.hart.getX(9)).toBe(BigInt(round * (last - first)));
    }
    expect(large.hart.counters.pagesDecoded).toBeGreaterThan(3 * DECODE_PAGES);
  });
});
