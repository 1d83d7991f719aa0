/** Integer instructions without memory. */
import { HELPER, PARAM } from '../abi.ts';
import { control, i32, i64, I64 } from '../asm/opcodes.ts';
import { type Insn, OP } from '../decode.ts';
import type { UnitCode } from './unit-code.ts';

/** rd = rs1 ∘ rs2 on 64 bits. wasm takes shift counts modulo 64 as RISC-V does. */
const BINARY: Record<number, number> = {
  [OP.ADD]: i64.add,
  [OP.SUB]: i64.sub,
  [OP.SLL]: i64.shl,
  [OP.XOR]: i64.xor,
  [OP.SRL]: i64.shrU,
  [OP.SRA]: i64.shrS,
  [OP.OR]: i64.or,
  [OP.AND]: i64.and,
  [OP.MUL]: i64.mul,
};

/** rd = rs1 ∘ rs2 on 32 bits, sign-extended. */
const BINARY_WORD: Record<number, number> = {
  [OP.ADDW]: i32.add,
  [OP.SUBW]: i32.sub,
  [OP.SLLW]: i32.shl,
  [OP.SRLW]: i32.shrU,
  [OP.SRAW]: i32.shrS,
  [OP.MULW]: i32.mul,
};

const IMMEDIATE: Record<number, number> = {
  [OP.XORI]: i64.xor,
  [OP.ORI]: i64.or,
  [OP.ANDI]: i64.and,
  [OP.SLLI]: i64.shl,
  [OP.SRLI]: i64.shrU,
  [OP.SRAI]: i64.shrS,
};

const IMMEDIATE_WORD: Record<number, number> = {
  [OP.ADDIW]: i32.add,
  [OP.SLLIW]: i32.shl,
  [OP.SRLIW]: i32.shrU,
  [OP.SRAIW]: i32.shrS,
};

const COMPARE: Record<number, number> = {
  [OP.SLT]: i64.ltS,
  [OP.SLTU]: i64.ltU,
  [OP.SLTI]: i64.ltS,
  [OP.SLTIU]: i64.ltU,
};

/** Conditions of branches by funct3. */
const CONDITION: Record<number, number> = {
  0: i64.eq,
  1: i64.ne,
  4: i64.ltS,
  5: i64.geS,
  6: i64.ltU,
  7: i64.geU,
};

/** Pushes whether the branch is taken. */
export function emitCondition(unit: UnitCode, insn: Insn): void {
  const funct3 = insn.op - OP.BRANCH;
  unit.x(insn.rs1);
  if (insn.rs2 === 0 && funct3 === 0) {
    unit.code.op(i64.eqz);
    return;
  }
  unit.x(insn.rs2).op(CONDITION[funct3]!);
}

/**
 * Division without wasm's traps. Divisors 0 and −1 are the cases apart: dividing by zero gives all
 * ones and the dividend as remainder, the overflow of −2⁶³ / −1 wraps.
 */
function emitDivision(unit: UnitCode, { op, rd, rs1, rs2 }: Insn): void {
  const { code } = unit;
  unit.cacheX(rs1);
  unit.cacheX(rs2);
  const remainder = op === OP.REM || op === OP.REMU;
  if (op === OP.DIVU || op === OP.REMU) {
    unit.x(rs2).op(i64.eqz).if(I64);
    if (remainder) unit.x(rs1);
    else code.i64(-1);
    code.else();
    unit.x(rs1);
    unit.x(rs2).op(remainder ? i64.remU : i64.divU);
  } else {
    unit.x(rs2).i64(1).op(i64.add).i64(1).op(i64.leU).if(I64);
    if (remainder) {
      code.i64(0);
      unit.x(rs1);
    } else {
      code.i64(0);
      unit.x(rs1).op(i64.sub).i64(-1);
    }
    unit.x(rs2).i64(0).op(i64.ne, control.select);
    code.else();
    unit.x(rs1);
    unit.x(rs2).op(remainder ? i64.remS : i64.divS);
  }
  code.end();
  unit.setX(rd);
}

/** The same on 32 bits: in 64 bits nothing overflows but the quotient, which the extension cuts. */
function emitWordDivision(unit: UnitCode, { op, rd, rs1, rs2 }: Insn): void {
  const { code } = unit;
  unit.cacheX(rs1);
  unit.cacheX(rs2);
  const remainder = op === OP.REMW || op === OP.REMUW;
  const signed = op === OP.DIVW || op === OP.REMW;
  const operand = (register: number): void => {
    if (signed) unit.x(register).op(i64.extend32S);
    else unit.x(register).op(i32.wrapI64, i64.extendI32U);
  };
  unit.x(rs2).op(i32.wrapI64, i32.eqz).if(I64);
  if (remainder) unit.x(rs1);
  else code.i64(-1);
  code.else();
  operand(rs1);
  operand(rs2);
  if (signed) code.op(remainder ? i64.remS : i64.divS);
  else code.op(remainder ? i64.remU : i64.divU);
  code.end().op(i64.extend32S);
  unit.setX(rd);
}

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitInteger(unit: UnitCode, insn: Insn): boolean {
  const { code } = unit;
  const { op, rd, rs1, rs2, imm } = insn;
  unit.keepRotated(insn);
  if (unit.pushRotation(insn)) {
    unit.setX(rd);
    return true;
  }
  const binary = BINARY[op];
  if (binary !== undefined) {
    unit.x(rs1);
    unit.x(rs2).op(binary);
    unit.setX(rd);
    return true;
  }
  const immediate = IMMEDIATE[op];
  if (immediate !== undefined) {
    unit.x(rs1).i64(imm).op(immediate);
    unit.setX(rd);
    return true;
  }
  const word = BINARY_WORD[op];
  if (word !== undefined) {
    unit.x(rs1).op(i32.wrapI64);
    unit.x(rs2).op(i32.wrapI64, word, i64.extendI32S);
    unit.setX(rd);
    return true;
  }
  const immediateWord = IMMEDIATE_WORD[op];
  if (immediateWord !== undefined) {
    unit.x(rs1).op(i32.wrapI64);
    if (imm !== 0) code.i32(imm).op(immediateWord);
    code.op(i64.extendI32S);
    unit.setX(rd);
    return true;
  }
  const compare = COMPARE[op];
  if (compare !== undefined) {
    unit.x(rs1);
    if (op === OP.SLTI || op === OP.SLTIU) code.i64(imm);
    else unit.x(rs2);
    code.op(compare, i64.extendI32U);
    unit.setX(rd);
    return true;
  }
  switch (op) {
    case OP.NOP:
      return true;
    case OP.FENCE:
      code.atomicFence();
      return true;
    case OP.LI:
      code.i64(imm);
      break;
    case OP.AUIPC:
      code
        .get(PARAM.page)
        .i64(insn.offset + imm)
        .op(i64.add);
      break;
    case OP.ADDI:
      if (rs1 === 0) code.i64(imm);
      else if (imm === 0) unit.x(rs1);
      else unit.x(rs1).i64(imm).op(i64.add);
      break;
    case OP.MULH:
    case OP.MULHSU:
    case OP.MULHU:
      unit.x(rs1);
      unit
        .x(rs2)
        .i32(op - OP.MUL)
        .call(HELPER.mulHigh);
      break;
    case OP.DIV:
    case OP.DIVU:
    case OP.REM:
    case OP.REMU:
      emitDivision(unit, insn);
      return true;
    case OP.DIVW:
    case OP.DIVUW:
    case OP.REMW:
    case OP.REMUW:
      emitWordDivision(unit, insn);
      return true;
    default:
      return false;
  }
  unit.setX(rd);
  return true;
}
