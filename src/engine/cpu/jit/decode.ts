/**
 * Instructions as the translator sees them. The interpreter decodes for itself into ops made for its
 * run loop; lockstep.ts holds the two against each other. Compressed instructions come here expanded
 * (by the interpreter's own `expandCompressed`).
 */

/** What an instruction does; those the translator does not know are INTERPRET. */
export const OP = {
  /** Left to the interpreter: system instructions, illegal ones, and what straddles two pages. */
  INTERPRET: 0,
  NOP: 1,
  FENCE: 2,
  /** rd = imm (LUI) */
  LI: 3,
  AUIPC: 4,

  ADDI: 8,
  SLTI: 9,
  SLTIU: 10,
  XORI: 11,
  ORI: 12,
  ANDI: 13,
  SLLI: 14,
  SRLI: 15,
  SRAI: 16,
  ADDIW: 17,
  SLLIW: 18,
  SRLIW: 19,
  SRAIW: 20,

  ADD: 24,
  SUB: 25,
  SLL: 26,
  SLT: 27,
  SLTU: 28,
  XOR: 29,
  SRL: 30,
  SRA: 31,
  OR: 32,
  AND: 33,
  ADDW: 34,
  SUBW: 35,
  SLLW: 36,
  SRLW: 37,
  SRAW: 38,

  MUL: 40,
  MULH: 41,
  MULHSU: 42,
  MULHU: 43,
  DIV: 44,
  DIVU: 45,
  REM: 46,
  REMU: 47,
  MULW: 48,
  DIVW: 49,
  DIVUW: 50,
  REMW: 51,
  REMUW: 52,

  /** Loads and stores by funct3: LOAD + 0…6 are LB LH LW LD LBU LHU LWU, STORE + 0…3 SB SH SW SD. */
  LOAD: 64,
  STORE: 72,
  FLW: 80,
  FLD: 81,
  FSW: 82,
  FSD: 83,
  ATOMIC: 84,
  FLOAT: 85,
  /** CSR instructions that translated code may carry out by a helper. */
  CSR: 86,

  /** Branches by funct3: BRANCH + 0 BEQ, 1 BNE, 4 BLT, 5 BGE, 6 BLTU, 7 BGEU. */
  BRANCH: 96,
  JAL: 104,
  JALR: 105,
} as const;

export interface Insn {
  /** Byte offset in its page, and length in bytes. */
  readonly offset: number;
  readonly size: number;
  /** One of OP, or LOAD, STORE, BRANCH plus funct3. */
  readonly op: number;
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly imm: number;
  /** The 32-bit form. */
  readonly bits: number;
}

const immI = (bits: number): number => bits >> 20;
const immS = (bits: number): number => ((bits >> 25) << 5) | ((bits >>> 7) & 31);
const immB = (bits: number): number =>
  ((bits >> 31) << 12) |
  (((bits >>> 7) & 1) << 11) |
  (((bits >>> 25) & 63) << 5) |
  (((bits >>> 8) & 15) << 1);
const immJ = (bits: number): number =>
  ((bits >> 31) << 20) | (bits & 0xff000) | (((bits >>> 20) & 1) << 11) | (((bits >>> 21) & 0x3ff) << 1);

const OP_IMM = [OP.ADDI, OP.SLLI, OP.SLTI, OP.SLTIU, OP.XORI, OP.SRLI, OP.ORI, OP.ANDI];
const OP_BASE = [OP.ADD, OP.SLL, OP.SLT, OP.SLTU, OP.XOR, OP.SRL, OP.OR, OP.AND];
const OP32_MULDIV = [OP.MULW, -1, -1, -1, OP.DIVW, OP.DIVUW, OP.REMW, OP.REMUW];

/** AMO funct5 encodings that exist. */
const validAtomic = (bits: number): boolean => {
  const operation = bits >>> 27;
  const size = (bits >>> 12) & 7;
  if (size !== 2 && size !== 3) return false;
  if (operation === 2) return ((bits >>> 20) & 31) === 0;
  return operation <= 4 || (operation & 3) === 0;
};

/** Operation of an OP-IMM or OP-IMM-32 instruction, −1 if reserved. */
function immediateOp(bits: number, word: boolean): number {
  const funct3 = (bits >>> 12) & 7;
  const high = word ? bits >>> 25 : (bits >>> 26) << 1;
  if (word) {
    if (funct3 === 0) return OP.ADDIW;
    if (funct3 === 1) return high === 0 ? OP.SLLIW : -1;
    if (funct3 !== 5) return -1;
    return high === 0 ? OP.SRLIW : high === 0x20 ? OP.SRAIW : -1;
  }
  if (funct3 === 1 && high !== 0) return -1;
  if (funct3 === 5 && high !== 0) return high === 0x20 ? OP.SRAI : -1;
  return OP_IMM[funct3] as number;
}

/** Operation of an OP or OP-32 instruction, −1 if reserved. */
function registerOp(bits: number, word: boolean): number {
  const funct3 = (bits >>> 12) & 7;
  switch (bits >>> 25) {
    case 0:
      if (!word) return OP_BASE[funct3] as number;
      return funct3 === 0 ? OP.ADDW : funct3 === 1 ? OP.SLLW : funct3 === 5 ? OP.SRLW : -1;
    case 1:
      return word ? (OP32_MULDIV[funct3] as number) : OP.MUL + funct3;
    case 0x20:
      if (funct3 === 0) return word ? OP.SUBW : OP.SUB;
      if (funct3 === 5) return word ? OP.SRAW : OP.SRA;
      return -1;
    default:
      return -1;
  }
}

/**
 * CSRs of the kernel's ways in and out, of its critical sections and its clock: sstatus, sscratch, sepc, scause, stval,
 * time. The others change what is held elsewhere, count instructions, or are rare.
 */
const HELPED_CSRS: ReadonlySet<number> = new Set([0x100, 0x140, 0x141, 0x142, 0x143, 0xc01]);
const SSTATUS = 0x100;

/** Whether the helper may find that a CSR instruction is the interpreter's after all. */
export const mayBeRefused = ({ op, bits }: Insn): boolean => op === OP.CSR && bits >>> 20 === SSTATUS;

/** Decodes the 32-bit form `bits` of an instruction of `size` bytes at `offset`. */
export function decode(bits: number, offset: number, size: number): Insn {
  const rd = (bits >>> 7) & 31;
  const rs1 = (bits >>> 15) & 31;
  const rs2 = (bits >>> 20) & 31;
  const funct3 = (bits >>> 12) & 7;
  const insn = (op: number, imm = 0): Insn =>
    op < 0 ? insn(OP.INTERPRET) : { offset, size, op, rd, rs1, rs2, imm, bits };
  /** An operation that only writes rd does nothing when that is x0. */
  const value = (op: number, imm = 0): Insn => insn(rd === 0 && op >= 0 ? OP.NOP : op, imm);
  switch (bits & 0x7f) {
    case 0x03:
      return funct3 === 7 ? insn(OP.INTERPRET) : insn(OP.LOAD + funct3, immI(bits));
    case 0x07:
      return insn(funct3 === 2 ? OP.FLW : funct3 === 3 ? OP.FLD : OP.INTERPRET, immI(bits));
    case 0x0f:
      return insn(funct3 === 0 ? OP.FENCE : OP.INTERPRET);
    case 0x13: {
      const shift = funct3 === 1 || funct3 === 5;
      return value(immediateOp(bits, false), shift ? immI(bits) & 63 : immI(bits));
    }
    case 0x17:
      return value(OP.AUIPC, bits & 0xfffff000);
    case 0x1b:
      return value(immediateOp(bits, true), funct3 === 0 ? immI(bits) : immI(bits) & 31);
    case 0x23:
      return funct3 > 3 ? insn(OP.INTERPRET) : insn(OP.STORE + funct3, immS(bits));
    case 0x27:
      return insn(funct3 === 2 ? OP.FSW : funct3 === 3 ? OP.FSD : OP.INTERPRET, immS(bits));
    case 0x2f:
      return insn(validAtomic(bits) ? OP.ATOMIC : OP.INTERPRET);
    case 0x33:
      return value(registerOp(bits, false));
    case 0x37:
      return value(OP.LI, bits & 0xfffff000);
    case 0x3b:
      return value(registerOp(bits, true));
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
    case 0x53:
      return insn(OP.FLOAT);
    case 0x63:
      return funct3 === 2 || funct3 === 3 ? insn(OP.INTERPRET) : insn(OP.BRANCH + funct3, immB(bits));
    case 0x67:
      return funct3 === 0 ? insn(OP.JALR, immI(bits)) : insn(OP.INTERPRET);
    case 0x6f:
      return insn(OP.JAL, immJ(bits));
    case 0x73:
      return insn((funct3 & 3) !== 0 && HELPED_CSRS.has(bits >>> 20) ? OP.CSR : OP.INTERPRET);
    default:
      return insn(OP.INTERPRET);
  }
}
