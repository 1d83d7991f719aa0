/** From an instruction's bits to an op the run loop executes. */
import { expandCompressed } from './compressed';
import { Op } from './ops';
import { fieldFunct3, fieldFunct7, fieldRd, fieldRs1, fieldRs2, immI } from './state';

/** Where the op being decoded goes, and whether it comes from a 2-byte instruction. */
let slot: usize = 0;
let compressed: bool = false;

function emit(handler: Op, rd: u32, rs1: u32, rs2: u32, imm: i32): void {
  store<u32>(slot, <u32>handler | (rd << 11) | (rs1 << 19) | (rs2 << 27));
  store<i32>(slot, imm, 4);
}

function illegal(bits: u32): void {
  emit(Op.ILLEGAL, 0, 0, 0, <i32>bits);
}

@inline
function either(long: Op, short: Op): Op {
  return compressed ? short : long;
}

@inline
function immS(insn: u32): i32 {
  return ((<i32>insn >> 25) << 5) | <i32>((insn >> 7) & 31);
}

@inline
function immB(insn: u32): i32 {
  return (
    ((<i32>insn >> 31) << 12) |
    <i32>(((insn >> 7) & 1) << 11) |
    <i32>(((insn >> 25) & 63) << 5) |
    <i32>(((insn >> 8) & 15) << 1)
  );
}

@inline
function immJ(insn: u32): i32 {
  return (
    ((<i32>insn >> 31) << 20) |
    <i32>(insn & 0xff000) |
    <i32>(((insn >> 20) & 1) << 11) |
    <i32>(((insn >> 21) & 0x3ff) << 1)
  );
}

function decodeLoad(insn: u32): void {
  const rd = fieldRd(insn);
  const rs1 = fieldRs1(insn);
  const imm = immI(insn);
  const funct3 = fieldFunct3(insn);
  if (funct3 == 7) return illegal(insn);
  if (rd == 0) return emit(Op.LOAD_X0, 0, 0, 0, <i32>insn);
  if (compressed) return emit(funct3 == 2 ? Op.C_LW : Op.C_LD, rd, rs1, 0, imm);
  emit(<Op>(Op.LB + funct3), rd, rs1, 0, imm);
}

function decodeStore(insn: u32): void {
  const funct3 = fieldFunct3(insn);
  if (funct3 > 3) return illegal(insn);
  const handler = compressed ? (funct3 == 2 ? Op.C_SW : Op.C_SD) : <Op>(Op.SB + funct3);
  emit(handler, 0, fieldRs1(insn), fieldRs2(insn), immS(insn));
}

function decodeOpImm(insn: u32): void {
  const rd = fieldRd(insn);
  const rs1 = fieldRs1(insn);
  const imm = immI(insn);
  const funct3 = fieldFunct3(insn);
  const shiftKind = insn >> 26;
  const shamt = imm & 63;
  let handler = Op.ILLEGAL;
  switch (funct3) {
    case 0:
      if (rd == 0) break;
      if (rs1 == 0) return emit(either(Op.LI, Op.C_LI), rd, 0, 0, imm);
      if (imm == 0 && !compressed) return emit(Op.MV, rd, rs1, 0, 0);
      return emit(either(Op.ADDI, Op.C_ADDI), rd, rs1, 0, imm);
    case 1:
      if (shiftKind != 0) return illegal(insn);
      handler = either(Op.SLLI, Op.C_SLLI);
      break;
    case 2:
      handler = Op.SLTI;
      break;
    case 3:
      handler = Op.SLTIU;
      break;
    case 4:
      handler = Op.XORI;
      break;
    case 5:
      if (shiftKind == 0) handler = either(Op.SRLI, Op.C_SRLI);
      else if (shiftKind == 0x10) handler = either(Op.SRAI, Op.C_SRAI);
      else return illegal(insn);
      break;
    case 6:
      handler = Op.ORI;
      break;
    default:
      handler = either(Op.ANDI, Op.C_ANDI);
  }
  if (rd == 0) return emit(either(Op.NOP, Op.C_NOP), 0, 0, 0, 0);
  emit(handler, rd, rs1, 0, (funct3 & 3) == 1 ? shamt : imm);
}

function decodeOpImm32(insn: u32): void {
  const imm = immI(insn);
  const funct7 = fieldFunct7(insn);
  let handler = Op.ILLEGAL;
  switch (fieldFunct3(insn)) {
    case 0:
      handler = either(Op.ADDIW, Op.C_ADDIW);
      break;
    case 1:
      if (funct7 == 0) handler = Op.SLLIW;
      break;
    case 5:
      if (funct7 == 0) handler = Op.SRLIW;
      else if (funct7 == 0x20) handler = Op.SRAIW;
      break;
    default:
      break;
  }
  if (handler == Op.ILLEGAL) return illegal(insn);
  if (fieldRd(insn) == 0) return emit(Op.NOP, 0, 0, 0, 0);
  emit(handler, fieldRd(insn), fieldRs1(insn), 0, fieldFunct3(insn) == 0 ? imm : imm & 31);
}

function opHandler(funct7: u32, funct3: u32): Op {
  if (funct7 == 1) return <Op>(Op.MUL + funct3);
  if (funct7 == 0x20) {
    if (funct3 == 0) return either(Op.SUB, Op.C_SUB);
    return funct3 == 5 ? Op.SRA : Op.ILLEGAL;
  }
  if (funct7 != 0) return Op.ILLEGAL;
  switch (funct3) {
    case 0:
      return either(Op.ADD, Op.C_ADD);
    case 1:
      return Op.SLL;
    case 2:
      return Op.SLT;
    case 3:
      return Op.SLTU;
    case 4:
      return either(Op.XOR, Op.C_XOR);
    case 5:
      return Op.SRL;
    case 6:
      return either(Op.OR, Op.C_OR);
    default:
      return either(Op.AND, Op.C_AND);
  }
}

function op32Handler(funct7: u32, funct3: u32): Op {
  if (funct7 == 1) {
    if (funct3 == 0) return Op.MULW;
    return funct3 >= 4 ? <Op>(Op.DIVW + (funct3 - 4)) : Op.ILLEGAL;
  }
  if (funct7 == 0x20) {
    if (funct3 == 0) return either(Op.SUBW, Op.C_SUBW);
    return funct3 == 5 ? Op.SRAW : Op.ILLEGAL;
  }
  if (funct7 != 0) return Op.ILLEGAL;
  if (funct3 == 0) return either(Op.ADDW, Op.C_ADDW);
  if (funct3 == 1) return Op.SLLW;
  return funct3 == 5 ? Op.SRLW : Op.ILLEGAL;
}

function decodeOp(insn: u32, handler: Op): void {
  const rd = fieldRd(insn);
  if (handler == Op.ILLEGAL) return illegal(insn);
  if (rd == 0) return emit(either(Op.NOP, Op.C_NOP), 0, 0, 0, 0);
  if (handler == Op.C_ADD && fieldRs1(insn) == 0) return emit(Op.C_MV, rd, fieldRs2(insn), 0, 0);
  emit(handler, rd, fieldRs1(insn), fieldRs2(insn), 0);
}

function decodeBranch(insn: u32, offset: i32, near: bool): void {
  const funct3 = fieldFunct3(insn);
  const imm = immB(insn);
  const target = offset + imm;
  const inPage = near && target >= 0 && target < 4096;
  let handler = Op.BEQ;
  switch (funct3) {
    case 0:
      handler = either(Op.BEQ, Op.C_BEQZ);
      break;
    case 1:
      handler = either(Op.BNE, Op.C_BNEZ);
      break;
    case 2:
    case 3:
      return illegal(insn);
    default:
      handler = <Op>(Op.BLT + (funct3 - 4));
  }
  if (!inPage) handler = <Op>(handler + (Op.BEQ_FAR - Op.BEQ));
  emit(handler, 0, fieldRs1(insn), fieldRs2(insn), inPage ? imm << 2 : imm);
}

function decodeJal(insn: u32, offset: i32, near: bool): void {
  const rd = fieldRd(insn);
  const imm = immJ(insn);
  const target = offset + imm;
  const inPage = near && target >= 0 && target < 4096;
  let handler = rd == 0 ? Op.J : Op.JAL;
  if (!inPage) handler = rd == 0 ? Op.J_FAR : Op.JAL_FAR;
  emit(handler, rd, 0, 0, inPage ? imm << 2 : imm);
}

function decodeJalr(insn: u32): void {
  const rd = fieldRd(insn);
  const rs1 = fieldRs1(insn);
  const imm = immI(insn);
  if (fieldFunct3(insn) != 0) return illegal(insn);
  if (rd != 0) return emit(either(Op.JALR, Op.C_JALR), rd, rs1, 0, imm);
  emit(imm == 0 ? Op.C_JR : Op.JR, 0, rs1, 0, imm);
}

function decodeFloatLoad(insn: u32): void {
  const funct3 = fieldFunct3(insn);
  if (funct3 != 2 && funct3 != 3) return illegal(insn);
  const handler = funct3 == 2 ? Op.FLW : either(Op.FLD, Op.C_FLD);
  emit(handler, fieldRd(insn), fieldRs1(insn), 0, immI(insn));
}

function decodeFloatStore(insn: u32): void {
  const funct3 = fieldFunct3(insn);
  if (funct3 != 2 && funct3 != 3) return illegal(insn);
  const handler = funct3 == 2 ? Op.FSW : either(Op.FSD, Op.C_FSD);
  emit(handler, 0, fieldRs1(insn), fieldRs2(insn), immS(insn));
}

/** Whether the instruction rounds as frm says, or to nearest even. */
@inline
function nearest(insn: u32): bool {
  const rounding = fieldFunct3(insn);
  return rounding == 7 || rounding == 0;
}

/** The handler for an OP-FP instruction; Op.FLOAT unless it is among the common ones. */
function floatHandler(insn: u32): Op {
  const funct3 = fieldFunct3(insn);
  const rs2 = fieldRs2(insn);
  const rd = fieldRd(insn);
  switch (fieldFunct7(insn)) {
    case 0x00:
      return nearest(insn) ? Op.FADD_S : Op.FLOAT;
    case 0x01:
      return nearest(insn) ? Op.FADD_D : Op.FLOAT;
    case 0x04:
      return nearest(insn) ? Op.FSUB_S : Op.FLOAT;
    case 0x05:
      return nearest(insn) ? Op.FSUB_D : Op.FLOAT;
    case 0x08:
      return nearest(insn) ? Op.FMUL_S : Op.FLOAT;
    case 0x09:
      return nearest(insn) ? Op.FMUL_D : Op.FLOAT;
    case 0x0c:
      return nearest(insn) ? Op.FDIV_S : Op.FLOAT;
    case 0x0d:
      return nearest(insn) ? Op.FDIV_D : Op.FLOAT;
    case 0x2d:
      return nearest(insn) && rs2 == 0 ? Op.FSQRT_D : Op.FLOAT;
    case 0x11:
      return funct3 == 0 && rs2 == fieldRs1(insn) ? Op.FMV_D : Op.FLOAT;
    case 0x51:
      return funct3 <= 2 && rd != 0 ? <Op>(Op.FLE_D + funct3) : Op.FLOAT;
    case 0x71:
      return funct3 == 0 && rs2 == 0 && rd != 0 ? Op.FMV_X_D : Op.FLOAT;
    case 0x79:
      return funct3 == 0 && rs2 == 0 ? Op.FMV_D_X : Op.FLOAT;
    case 0x69:
      // Of 32 bits it is exact and its handler looks at no rounding mode: not for "dynamic", which frm may make illegal.
      if (rs2 == 0) return funct3 == 0 ? Op.FCVT_D_W : Op.FLOAT;
      return rs2 == 2 && nearest(insn) ? Op.FCVT_D_L : Op.FLOAT;
    case 0x61:
      if (funct3 != 1 || rd == 0) return Op.FLOAT;
      return rs2 == 0 ? Op.FCVT_W_D : rs2 == 2 ? Op.FCVT_L_D : Op.FLOAT;
    default:
      return Op.FLOAT;
  }
}

function decodeFloat(insn: u32): void {
  const handler = floatHandler(insn);
  // A move out of the f registers reads its only source where stores have theirs.
  const rs2 = handler == Op.FMV_X_D ? fieldRs1(insn) : fieldRs2(insn);
  emit(handler, fieldRd(insn), fieldRs1(insn), rs2, <i32>insn);
}

function decodeFused(insn: u32): void {
  const format = (insn >> 25) & 3;
  const handler = format > 1 || !nearest(insn) ? Op.FLOAT : format == 1 ? Op.FUSED_D : Op.FUSED_S;
  emit(handler, fieldRd(insn), fieldRs1(insn), fieldRs2(insn), <i32>insn);
}

/** A 4-byte instruction, or the expansion of a 2-byte one, at byte `offset` of its page. */
function decodeInsn(insn: u32, offset: i32, near: bool): void {
  switch (insn & 0x7f) {
    case 0x03:
      return decodeLoad(insn);
    case 0x07:
      return decodeFloatLoad(insn);
    case 0x0f: {
      const funct3 = fieldFunct3(insn);
      if (funct3 == 0) return emit(Op.FENCE, 0, 0, 0, 0);
      return funct3 == 1 ? emit(Op.SYSTEM, 0, 0, 0, <i32>insn) : illegal(insn);
    }
    case 0x13:
      return decodeOpImm(insn);
    case 0x17:
      if (fieldRd(insn) == 0) return emit(Op.NOP, 0, 0, 0, 0);
      return emit(Op.AUIPC, fieldRd(insn), 0, 0, <i32>(insn & 0xfffff000));
    case 0x1b:
      return decodeOpImm32(insn);
    case 0x23:
      return decodeStore(insn);
    case 0x27:
      return decodeFloatStore(insn);
    case 0x2f:
      return emit(Op.ATOMIC, 0, 0, 0, <i32>insn);
    case 0x33:
      return decodeOp(insn, opHandler(fieldFunct7(insn), fieldFunct3(insn)));
    case 0x37:
      if (fieldRd(insn) == 0) return emit(either(Op.NOP, Op.C_NOP), 0, 0, 0, 0);
      return emit(either(Op.LI, Op.C_LI), fieldRd(insn), 0, 0, <i32>(insn & 0xfffff000));
    case 0x3b:
      return decodeOp(insn, op32Handler(fieldFunct7(insn), fieldFunct3(insn)));
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
      return decodeFused(insn);
    case 0x53:
      return decodeFloat(insn);
    case 0x63:
      return decodeBranch(insn, offset, near);
    case 0x67:
      return decodeJalr(insn);
    case 0x6f:
      return decodeJal(insn, offset, near);
    case 0x73:
      return emit(Op.SYSTEM, 0, 0, 0, <i32>insn);
    default:
      return illegal(insn);
  }
}

/**
 * Decodes a 4-byte instruction at byte `offset` of its page into the op at `target`. `near` tells
 * whether branches may stay within the op array (not so in the straddle page).
 */
export function decodeWord(target: usize, insn: u32, offset: i32, near: bool): void {
  slot = target;
  compressed = false;
  decodeInsn(insn, offset, near);
}

/** Decodes a 2-byte instruction likewise. */
export function decodeHalfword(target: usize, halfword: u32, offset: i32, near: bool): void {
  slot = target;
  compressed = true;
  const insn = expandCompressed(halfword);
  // Only C.EBREAK expands to a system instruction; its trap wants the length, so it keeps its bits.
  if (insn == 0) illegal(halfword);
  else if (insn == 0x00100073) emit(Op.SYSTEM, 0, 0, 0, <i32>halfword);
  else decodeInsn(insn, offset, near);
}
