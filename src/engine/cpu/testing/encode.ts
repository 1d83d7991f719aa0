/** RISC-V instruction formats: fields in, 32-bit words out. */

export const OPCODE = {
  load: 0x03,
  loadFp: 0x07,
  miscMem: 0x0f,
  opImm: 0x13,
  auipc: 0x17,
  opImm32: 0x1b,
  store: 0x23,
  storeFp: 0x27,
  amo: 0x2f,
  op: 0x33,
  lui: 0x37,
  op32: 0x3b,
  madd: 0x43,
  msub: 0x47,
  nmsub: 0x4b,
  nmadd: 0x4f,
  opFp: 0x53,
  branch: 0x63,
  jalr: 0x67,
  jal: 0x6f,
  system: 0x73,
} as const;

export const rType = (
  opcode: number,
  funct3: number,
  funct7: number,
  rd: number,
  rs1: number,
  rs2: number,
): number => ((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;

export const iType = (opcode: number, funct3: number, rd: number, rs1: number, imm: number): number =>
  ((imm << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;

export const sType = (opcode: number, funct3: number, rs1: number, rs2: number, imm: number): number =>
  (((imm >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 31) << 7) | opcode) >>> 0;

export const bType = (funct3: number, rs1: number, rs2: number, imm: number): number =>
  ((((imm >> 12) & 1) << 31) |
    (((imm >> 5) & 63) << 25) |
    (rs2 << 20) |
    (rs1 << 15) |
    (funct3 << 12) |
    (((imm >> 1) & 15) << 8) |
    (((imm >> 11) & 1) << 7) |
    OPCODE.branch) >>>
  0;

/** `imm` is the value of the upper 20 bits, in place. */
export const uType = (opcode: number, rd: number, imm: number): number =>
  ((imm & 0xfffff000) | (rd << 7) | opcode) >>> 0;

export const jType = (rd: number, imm: number): number =>
  ((((imm >> 20) & 1) << 31) |
    (((imm >> 1) & 0x3ff) << 21) |
    (((imm >> 11) & 1) << 20) |
    (((imm >> 12) & 0xff) << 12) |
    (rd << 7) |
    OPCODE.jal) >>>
  0;

/** R4 format of the fused multiply-adds; `format` is 0 for S, 1 for D. */
export const r4Type = (
  opcode: number,
  format: number,
  rm: number,
  rd: number,
  rs1: number,
  rs2: number,
  rs3: number,
): number =>
  ((rs3 << 27) | (format << 25) | (rs2 << 20) | (rs1 << 15) | (rm << 12) | (rd << 7) | opcode) >>> 0;

// The few instructions that test programs are made of.
export const nop = (): number => iType(OPCODE.opImm, 0, 0, 0, 0);
export const addi = (rd: number, rs1: number, imm: number): number => iType(OPCODE.opImm, 0, rd, rs1, imm);
export const lui = (rd: number, imm: number): number => uType(OPCODE.lui, rd, imm);
export const jal = (rd: number, offset: number): number => jType(rd, offset);
export const jalr = (rd: number, rs1: number, imm: number): number => iType(OPCODE.jalr, 0, rd, rs1, imm);
export const lw = (rd: number, rs1: number, imm: number): number => iType(OPCODE.load, 2, rd, rs1, imm);
export const ld = (rd: number, rs1: number, imm: number): number => iType(OPCODE.load, 3, rd, rs1, imm);
export const lbu = (rd: number, rs1: number, imm: number): number => iType(OPCODE.load, 4, rd, rs1, imm);
export const sb = (rs2: number, rs1: number, imm: number): number => sType(OPCODE.store, 0, rs1, rs2, imm);
export const sw = (rs2: number, rs1: number, imm: number): number => sType(OPCODE.store, 2, rs1, rs2, imm);
export const sd = (rs2: number, rs1: number, imm: number): number => sType(OPCODE.store, 3, rs1, rs2, imm);
export const beq = (rs1: number, rs2: number, offset: number): number => bType(0, rs1, rs2, offset);
export const bne = (rs1: number, rs2: number, offset: number): number => bType(1, rs1, rs2, offset);
export const csrrw = (rd: number, csr: number, rs1: number): number => iType(OPCODE.system, 1, rd, rs1, csr);
export const csrrs = (rd: number, csr: number, rs1: number): number => iType(OPCODE.system, 2, rd, rs1, csr);
export const csrrc = (rd: number, csr: number, rs1: number): number => iType(OPCODE.system, 3, rd, rs1, csr);
export const amo = (funct5: number, size: 4 | 8, rd: number, rs1: number, rs2: number): number =>
  rType(OPCODE.amo, size === 4 ? 2 : 3, funct5 << 2, rd, rs1, rs2);
export const sfenceVma = (rs1: number, rs2: number): number => rType(OPCODE.system, 0, 9, 0, rs1, rs2);

export const ECALL = 0x00000073;
export const EBREAK = 0x00100073;
export const SRET = 0x10200073;
export const MRET = 0x30200073;
export const WFI = 0x10500073;
export const FENCE = 0x0ff0000f;
export const FENCE_I = 0x0000100f;
