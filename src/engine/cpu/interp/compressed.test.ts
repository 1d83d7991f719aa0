import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addi, bType, EBREAK, iType, jal, jalr, OPCODE, rType, sType, uType } from '../testing/encode.ts';
import { HART_F, HART_X } from '../layout.ts';
import { CAUSE, CSR, DATA, HartRig, RAM } from '../testing/hart-rig.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const rig = new HartRig(module);
const { hart } = rig;

/**
 * An immediate scattered over a halfword. `map` names, from instruction bit 12 downwards, which bit
 * of the immediate each instruction bit holds; '-' where the bit is no part of it.
 */
function scattered(c: number, map: readonly (number | '-')[]): number {
  let value = 0;
  for (const [index, to] of map.entries()) if (to !== '-') value |= ((c >> (12 - index)) & 1) << to;
  return value;
}

const signExtend = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

// Bits 12…2 of each format, as the manual's tables print them.
const CI_IMM = [5, '-', '-', '-', '-', '-', 4, 3, 2, 1, 0] as const;
const CL_W = [5, 4, 3, '-', '-', '-', 2, 6, '-', '-', '-'] as const;
const CL_D = [5, 4, 3, '-', '-', '-', 7, 6, '-', '-', '-'] as const;
const LWSP = [5, '-', '-', '-', '-', '-', 4, 3, 2, 7, 6] as const;
const LDSP = [5, '-', '-', '-', '-', '-', 4, 3, 8, 7, 6] as const;
const SWSP = [5, 4, 3, 2, 7, 6, '-', '-', '-', '-', '-'] as const;
const SDSP = [5, 4, 3, 8, 7, 6, '-', '-', '-', '-', '-'] as const;
const ADDI4SPN = [5, 4, 9, 8, 7, 6, 2, 3, '-', '-', '-'] as const;
const ADDI16SP = [9, '-', '-', '-', '-', '-', 4, 6, 8, 7, 5] as const;
const CJ = [11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5] as const;
const CB = [8, 4, 3, '-', '-', '-', 7, 6, 2, 1, 5] as const;

/** The expansion by the manual's RVC listings; 0 where RV64GC has no instruction. */
function expansion(c: number): number {
  const full = (c >> 7) & 31;
  const rs2 = (c >> 2) & 31;
  const high = 8 + ((c >> 7) & 7);
  const low = 8 + ((c >> 2) & 7);
  const imm = signExtend(scattered(c, CI_IMM), 6);
  switch (`${c & 3}.${c >> 13}`) {
    case '0.0': {
      const offset = scattered(c, ADDI4SPN);
      return offset === 0 ? 0 : addi(low, 2, offset);
    }
    case '0.1':
      return iType(OPCODE.loadFp, 3, low, high, scattered(c, CL_D));
    case '0.2':
      return iType(OPCODE.load, 2, low, high, scattered(c, CL_W));
    case '0.3':
      return iType(OPCODE.load, 3, low, high, scattered(c, CL_D));
    case '0.5':
      return sType(OPCODE.storeFp, 3, high, low, scattered(c, CL_D));
    case '0.6':
      return sType(OPCODE.store, 2, high, low, scattered(c, CL_W));
    case '0.7':
      return sType(OPCODE.store, 3, high, low, scattered(c, CL_D));
    case '1.0':
      return addi(full, full, imm);
    case '1.1':
      return full === 0 ? 0 : iType(OPCODE.opImm32, 0, full, full, imm);
    case '1.2':
      return addi(full, 0, imm);
    case '1.3':
      if (imm === 0) return 0;
      if (full === 2) return addi(2, 2, signExtend(scattered(c, ADDI16SP), 10));
      return uType(OPCODE.lui, full, imm << 12);
    case '1.4': {
      const shamt = scattered(c, CI_IMM);
      switch ((c >> 10) & 3) {
        case 0:
          return iType(OPCODE.opImm, 5, high, high, shamt);
        case 1:
          return iType(OPCODE.opImm, 5, high, high, 0x400 | shamt);
        case 2:
          return iType(OPCODE.opImm, 7, high, high, imm);
        default: {
          const rows = [
            [OPCODE.op, 0, 0x20],
            [OPCODE.op, 4, 0],
            [OPCODE.op, 6, 0],
            [OPCODE.op, 7, 0],
            [OPCODE.op32, 0, 0x20],
            [OPCODE.op32, 0, 0],
          ] as const;
          const row = rows[((c >> 12) & 1) * 4 + ((c >> 5) & 3)];
          return row === undefined ? 0 : rType(row[0], row[1], row[2], high, high, low);
        }
      }
    }
    case '1.5':
      return jal(0, signExtend(scattered(c, CJ), 12));
    case '1.6':
      return bType(0, high, 0, signExtend(scattered(c, CB), 9));
    case '1.7':
      return bType(1, high, 0, signExtend(scattered(c, CB), 9));
    case '2.0':
      return iType(OPCODE.opImm, 1, full, full, scattered(c, CI_IMM));
    case '2.1':
      return iType(OPCODE.loadFp, 3, full, 2, scattered(c, LDSP));
    case '2.2':
      return full === 0 ? 0 : iType(OPCODE.load, 2, full, 2, scattered(c, LWSP));
    case '2.3':
      return full === 0 ? 0 : iType(OPCODE.load, 3, full, 2, scattered(c, LDSP));
    case '2.4': {
      const linked = ((c >> 12) & 1) === 1;
      if (rs2 !== 0) return rType(OPCODE.op, 0, 0, full, linked ? full : 0, rs2);
      if (full === 0) return linked ? EBREAK : 0;
      return jalr(linked ? 1 : 0, full, 0);
    }
    case '2.5':
      return sType(OPCODE.storeFp, 3, 2, rs2, scattered(c, SDSP));
    case '2.6':
      return sType(OPCODE.store, 2, 2, rs2, scattered(c, SWSP));
    case '2.7':
      return sType(OPCODE.store, 3, 2, rs2, scattered(c, SDSP));
    default:
      return 0;
  }
}

/** From here on a slot of 16 bytes for every halfword: the instruction, 8 bytes on its expansion. */
const CODE = RAM + 0x20_0000;

/** x1 in a copy of the register cells. */
const linkOf = (registers: Uint8Array): bigint => Buffer.from(registers).readBigUInt64LE(8);

/** C.JR and C.JALR go to an absolute address. */
const isIndirect = (word: number): boolean => (word & 0x7f) === OPCODE.jalr;

describe('the C extension', () => {
  it('expands every halfword as the manual lists it', () => {
    const { expandCompressed } = new WebAssembly.Instance(module, {
      env: { memory: rig.memory.memory },
      host: { time_ticks: () => 0, mmio_read: () => 0, mmio_write: () => {} },
    }).exports as { expandCompressed: (halfword: number) => number };
    for (let c = 0; c < 0x1_0000; c++) {
      if ((c & 3) === 3) continue;
      const expanded = expandCompressed(c) >>> 0;
      if (expanded !== expansion(c))
        expect.fail(
          `0x${c.toString(16)}: 0x${expanded.toString(16)} instead of 0x${expansion(c).toString(16)}`,
        );
    }
  });

  it('executes every halfword as its expansion, and steps by 2 instead of 4', () => {
    rig.start([]);
    hart.writeCsr(CSR.mstatus, 3n << 13n);
    const { u8 } = rig.memory;
    const registers = u8.subarray(rig.base + HART_X, rig.base + HART_F + 256);
    const data = u8.subarray(rig.at(DATA), rig.at(DATA + 0x1000));
    for (let i = 1; i < 32; i++) {
      hart.setX(i, BigInt(DATA + 0x800 + 8 * i));
      hart.setF(i, BigInt(i) * 0x0101_0101_0101_0101n);
    }
    for (let i = 0; i < data.length; i++) data[i] = (i * 37) & 0xff;
    const before = { registers: registers.slice(), data: data.slice() };

    /** Executes what stands at `pc`; returns what it left behind, and puts everything back. */
    const outcome = (pc: number) => {
      hart.pc = BigInt(pc);
      rig.step();
      const trap = rig.machineTrap();
      const after = { registers: registers.slice(), data: data.slice(), offset: Number(hart.pc) - pc, trap };
      registers.set(before.registers);
      data.set(before.data);
      return after;
    };

    for (let c = 0; c < 0x1_0000; c++) {
      const word = expansion(c);
      if ((c & 3) === 3 || word === 0) continue;
      // Places of their own, so that nothing has to be decoded anew.
      const short = CODE + 16 * c;
      const long = short + 8;
      rig.halfwords(short, c);
      rig.program(long, word);
      const compressed = outcome(short);
      const full = outcome(long);
      const name = `0x${c.toString(16)}`;
      if (full.trap !== undefined) {
        if (compressed.trap?.cause !== full.trap.cause) expect.fail(`${name} does not trap`);
        continue;
      }
      if (full.offset === 4) full.offset = 2;
      // The link registers differ by the places and the lengths.
      if (isIndirect(word) && ((word >> 7) & 31) === 1) {
        expect(linkOf(compressed.registers)).toBe(BigInt(short + 2));
        expect(linkOf(full.registers)).toBe(BigInt(long + 4));
        full.registers.set(compressed.registers.subarray(8, 16), 8);
      }
      if (compressed.offset !== full.offset && !isIndirect(word)) expect.fail(`${name} goes elsewhere`);
      if (Buffer.compare(compressed.registers, full.registers) !== 0)
        expect.fail(`${name}: registers differ`);
      if (Buffer.compare(compressed.data, full.data) !== 0) expect.fail(`${name}: memory differs`);
    }
  });

  it('reserved halfwords are illegal instructions, and mtval holds their 16 bits', () => {
    for (const c of [0x0000, 0x8000, 0x6101, 0x2001, 0x4002, 0x6002, 0x8002, 0x9c61, 0x9c41]) {
      expect(expansion(c)).toBe(0);
      rig.start([]);
      rig.halfwords(RAM, c, 0xffff);
      rig.step();
      expect(rig.machineTrap()).toEqual({ cause: CAUSE.illegal, epc: BigInt(RAM), tval: BigInt(c) });
    }
  });

  it('c.ebreak reports its own address', () => {
    rig.start([]);
    rig.halfwords(RAM, 0x0001, 0x9002);
    rig.step(2);
    expect(rig.machineTrap()).toEqual({
      cause: CAUSE.breakpoint,
      epc: BigInt(RAM + 2),
      tval: BigInt(RAM + 2),
    });
  });
});
