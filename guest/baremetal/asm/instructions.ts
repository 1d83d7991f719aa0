import { fail } from './error.ts';

/** What an encoder may ask about the operands of its instruction. Every reader refuses what does not fit. */
export interface Operands {
  readonly count: number;
  /** The 5-bit number of an integer register. */
  reg(index: number): number;
  /** A signed immediate of so many bits. */
  signed(index: number, bits: number): number;
  /** An unsigned immediate of so many bits. */
  unsigned(index: number, bits: number): number;
  /** The distance in bytes from this instruction to a label, signed, even, of so many bits. */
  target(index: number, bits: number): number;
  /** `offset(base)`; the offset may be left out. */
  memory(index: number): { readonly base: number; readonly offset: number };
  /** A CSR by name or number. */
  csr(index: number): number;
  /** The `iorw` set of a fence. */
  ordering(index: number): number;
}

/** Encodes one 32-bit instruction. */
export type Encoder = (operands: Operands) => number;

const OP = {
  LOAD: 0x03,
  MISC_MEM: 0x0f,
  OP_IMM: 0x13,
  AUIPC: 0x17,
  OP_IMM_32: 0x1b,
  STORE: 0x23,
  AMO: 0x2f,
  OP: 0x33,
  LUI: 0x37,
  OP_32: 0x3b,
  BRANCH: 0x63,
  JALR: 0x67,
  JAL: 0x6f,
  SYSTEM: 0x73,
} as const;

/** The R format; the other formats reuse its fields with parts of the immediate. */
export function encodeR(
  opcode: number,
  rd: number,
  funct3: number,
  rs1: number,
  rs2: number,
  funct7: number,
): number {
  return (opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | (funct7 << 25)) >>> 0;
}

/** The I format: a 12-bit immediate in the places of rs2 and funct7. */
export function encodeI(opcode: number, rd: number, funct3: number, rs1: number, imm: number): number {
  return encodeR(opcode, rd, funct3, rs1, imm & 31, (imm >> 5) & 127);
}

/** The S format: the low five bits of the immediate take the place of rd. */
export function encodeS(opcode: number, funct3: number, rs1: number, rs2: number, imm: number): number {
  return encodeR(opcode, imm & 31, funct3, rs1, rs2, (imm >> 5) & 127);
}

/** The B format: S with bit 11 moved to the lowest place of the rd field. */
function encodeB(funct3: number, rs1: number, rs2: number, offset: number): number {
  const low = (offset & 0x1e) | ((offset >> 11) & 1);
  const high = ((offset >> 5) & 0x3f) | (((offset >> 12) & 1) << 6);
  return encodeR(OP.BRANCH, low, funct3, rs1, rs2, high);
}

/** The U format: bits 31…12 of the result. */
export function encodeU(opcode: number, rd: number, imm20: number): number {
  return (opcode | (rd << 7) | ((imm20 & 0xfffff) << 12)) >>> 0;
}

/** The J format: a 21-bit distance, scrambled so that most bits sit where the U format has them. */
function encodeJ(rd: number, offset: number): number {
  const field =
    (((offset >> 20) & 1) << 19) |
    (((offset >> 1) & 0x3ff) << 9) |
    (((offset >> 11) & 1) << 8) |
    ((offset >> 12) & 0xff);
  return encodeU(OP.JAL, rd, field);
}

const expect = (operands: Operands, ...counts: number[]): void => {
  if (!counts.includes(operands.count))
    fail(`takes ${counts.join(' or ')} operands, ${operands.count} given`);
};

const register =
  (opcode: number, funct3: number, funct7: number): Encoder =>
  (o) => (expect(o, 3), encodeR(opcode, o.reg(0), funct3, o.reg(1), o.reg(2), funct7));

const immediate =
  (opcode: number, funct3: number): Encoder =>
  (o) => (expect(o, 3), encodeI(opcode, o.reg(0), funct3, o.reg(1), o.signed(2, 12)));

/** Shifts by a constant: `kind` is the upper part of the immediate (0x400 for arithmetic). */
const shift =
  (opcode: number, funct3: number, bits: number, kind: number): Encoder =>
  (o) => (expect(o, 3), encodeI(opcode, o.reg(0), funct3, o.reg(1), kind | o.unsigned(2, bits)));

const load =
  (funct3: number): Encoder =>
  (o) => {
    expect(o, 2);
    const { base, offset } = o.memory(1);
    return encodeI(OP.LOAD, o.reg(0), funct3, base, offset);
  };

const store =
  (funct3: number): Encoder =>
  (o) => {
    expect(o, 2);
    const { base, offset } = o.memory(1);
    return encodeS(OP.STORE, funct3, base, o.reg(0), offset);
  };

const branch =
  (funct3: number): Encoder =>
  (o) => (expect(o, 3), encodeB(funct3, o.reg(0), o.reg(1), o.target(2, 13)));

const upper =
  (opcode: number): Encoder =>
  (o) => (expect(o, 2), encodeU(opcode, o.reg(0), o.unsigned(1, 20)));

const jalr: Encoder = (o) => {
  expect(o, 2, 3);
  if (o.count === 3) return encodeI(OP.JALR, o.reg(0), 0, o.reg(1), o.signed(2, 12));
  const { base, offset } = o.memory(1);
  return encodeI(OP.JALR, o.reg(0), 0, base, offset);
};

const csr =
  (funct3: number): Encoder =>
  (o) => (expect(o, 3), encodeI(OP.SYSTEM, o.reg(0), funct3, o.reg(2), o.csr(1)));

const csrImmediate =
  (funct3: number): Encoder =>
  (o) => (expect(o, 3), encodeI(OP.SYSTEM, o.reg(0), funct3, o.unsigned(2, 5), o.csr(1)));

/** Instructions without operands are constants. */
const fixed =
  (word: number): Encoder =>
  (o) => (expect(o, 0), word);

const plainAddress = (o: Operands, index: number): number => {
  const { base, offset } = o.memory(index);
  return offset === 0 ? base : fail('atomic instructions take no offset');
};

const amo =
  (funct5: number, funct3: number, ordering: number): Encoder =>
  (o) => {
    expect(o, 3);
    return encodeR(OP.AMO, o.reg(0), funct3, plainAddress(o, 2), o.reg(1), (funct5 << 2) | ordering);
  };

const loadReserved =
  (funct3: number, ordering: number): Encoder =>
  (o) => (expect(o, 2), encodeR(OP.AMO, o.reg(0), funct3, plainAddress(o, 1), 0, (0b00010 << 2) | ordering));

const AMO_FUNCT5: Readonly<Record<string, number>> = {
  amoadd: 0b00000,
  amoswap: 0b00001,
  sc: 0b00011,
  amoxor: 0b00100,
  amoor: 0b01000,
  amoand: 0b01100,
  amomin: 0b10000,
  amomax: 0b10100,
  amominu: 0b11000,
  amomaxu: 0b11100,
};

/** The A extension: every operation in two widths and with each of the four ordering suffixes. */
function* atomics(): Generator<[string, Encoder]> {
  const suffixes: readonly (readonly [string, number])[] = [
    ['', 0],
    ['.aq', 2],
    ['.rl', 1],
    ['.aqrl', 3],
  ];
  for (const [width, funct3] of [['.w', 2] as const, ['.d', 3] as const]) {
    for (const [suffix, ordering] of suffixes) {
      yield [`lr${width}${suffix}`, loadReserved(funct3, ordering)];
      for (const [name, funct5] of Object.entries(AMO_FUNCT5)) {
        yield [`${name}${width}${suffix}`, amo(funct5, funct3, ordering)];
      }
    }
  }
}

/** RV64IMA, Zicsr and Zifencei, and the privileged instructions the guest needs. */
export const INSTRUCTIONS: ReadonlyMap<string, Encoder> = new Map<string, Encoder>([
  ['lui', upper(OP.LUI)],
  ['auipc', upper(OP.AUIPC)],
  ['jal', (o) => (expect(o, 2), encodeJ(o.reg(0), o.target(1, 21)))],
  ['jalr', jalr],

  ['beq', branch(0)],
  ['bne', branch(1)],
  ['blt', branch(4)],
  ['bge', branch(5)],
  ['bltu', branch(6)],
  ['bgeu', branch(7)],

  ['lb', load(0)],
  ['lh', load(1)],
  ['lw', load(2)],
  ['ld', load(3)],
  ['lbu', load(4)],
  ['lhu', load(5)],
  ['lwu', load(6)],
  ['sb', store(0)],
  ['sh', store(1)],
  ['sw', store(2)],
  ['sd', store(3)],

  ['addi', immediate(OP.OP_IMM, 0)],
  ['slti', immediate(OP.OP_IMM, 2)],
  ['sltiu', immediate(OP.OP_IMM, 3)],
  ['xori', immediate(OP.OP_IMM, 4)],
  ['ori', immediate(OP.OP_IMM, 6)],
  ['andi', immediate(OP.OP_IMM, 7)],
  ['slli', shift(OP.OP_IMM, 1, 6, 0)],
  ['srli', shift(OP.OP_IMM, 5, 6, 0)],
  ['srai', shift(OP.OP_IMM, 5, 6, 0x400)],
  ['addiw', immediate(OP.OP_IMM_32, 0)],
  ['slliw', shift(OP.OP_IMM_32, 1, 5, 0)],
  ['srliw', shift(OP.OP_IMM_32, 5, 5, 0)],
  ['sraiw', shift(OP.OP_IMM_32, 5, 5, 0x400)],

  ['add', register(OP.OP, 0, 0x00)],
  ['sub', register(OP.OP, 0, 0x20)],
  ['sll', register(OP.OP, 1, 0x00)],
  ['slt', register(OP.OP, 2, 0x00)],
  ['sltu', register(OP.OP, 3, 0x00)],
  ['xor', register(OP.OP, 4, 0x00)],
  ['srl', register(OP.OP, 5, 0x00)],
  ['sra', register(OP.OP, 5, 0x20)],
  ['or', register(OP.OP, 6, 0x00)],
  ['and', register(OP.OP, 7, 0x00)],
  ['addw', register(OP.OP_32, 0, 0x00)],
  ['subw', register(OP.OP_32, 0, 0x20)],
  ['sllw', register(OP.OP_32, 1, 0x00)],
  ['srlw', register(OP.OP_32, 5, 0x00)],
  ['sraw', register(OP.OP_32, 5, 0x20)],

  ['mul', register(OP.OP, 0, 0x01)],
  ['mulh', register(OP.OP, 1, 0x01)],
  ['mulhsu', register(OP.OP, 2, 0x01)],
  ['mulhu', register(OP.OP, 3, 0x01)],
  ['div', register(OP.OP, 4, 0x01)],
  ['divu', register(OP.OP, 5, 0x01)],
  ['rem', register(OP.OP, 6, 0x01)],
  ['remu', register(OP.OP, 7, 0x01)],
  ['mulw', register(OP.OP_32, 0, 0x01)],
  ['divw', register(OP.OP_32, 4, 0x01)],
  ['divuw', register(OP.OP_32, 5, 0x01)],
  ['remw', register(OP.OP_32, 6, 0x01)],
  ['remuw', register(OP.OP_32, 7, 0x01)],

  ['csrrw', csr(1)],
  ['csrrs', csr(2)],
  ['csrrc', csr(3)],
  ['csrrwi', csrImmediate(5)],
  ['csrrsi', csrImmediate(6)],
  ['csrrci', csrImmediate(7)],

  ['fence', (o) => (expect(o, 2), encodeI(OP.MISC_MEM, 0, 0, 0, (o.ordering(0) << 4) | o.ordering(1)))],
  ['fence.i', fixed(0x0000_100f)],
  ['ecall', fixed(0x0000_0073)],
  ['ebreak', fixed(0x0010_0073)],
  ['sret', fixed(0x1020_0073)],
  ['mret', fixed(0x3020_0073)],
  ['wfi', fixed(0x1050_0073)],
  ['sfence.vma', (o) => (expect(o, 2), encodeR(OP.SYSTEM, 0, 0, o.reg(0), o.reg(1), 0x09))],
  ...atomics(),
]);
