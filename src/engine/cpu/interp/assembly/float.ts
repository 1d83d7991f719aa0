/** Opcode OP-FP and the fused multiply-adds: operands, NaN boxing, rounding mode, results. */
import { HART_FRM } from '../../layout';
import { add, divide, fusedMultiplyAdd, multiply, squareRoot, subtract } from './arith';
import { Cause, MSTATUS_FS } from './cause';
import {
  classify,
  equal,
  extremum,
  fromInteger,
  injectSign,
  less,
  narrow,
  toInteger,
  widen,
} from './convert';
import { canonicalNaN, signMask } from './format';
import {
  fieldFunct3,
  fieldRd,
  fieldRs1,
  fieldRs2,
  getF,
  getX,
  hart,
  mstatus,
  setF,
  setMstatus,
  setX,
} from './state';
import { takeException } from './trap';

/** Set when the instruction turns out to be none. */
let reserved: bool = false;

/** A single-precision operand that is not NaN-boxed counts as the canonical NaN. */
@inline
function operand<T>(index: u32): u64 {
  const bits = getF(index);
  if (sizeof<T>() == 8) return bits;
  return bits >> 32 == 0xffffffff ? bits & 0xffffffff : canonicalNaN<T>();
}

@inline
function setResult<T>(index: u32, bits: u64): void {
  setF(index, sizeof<T>() == 8 ? bits : bits | 0xffffffff00000000);
}

/** The rounding mode of the instruction, from frm if it says "dynamic". */
@inline
function roundingMode(insn: u32): u32 {
  let rounding = fieldFunct3(insn);
  if (rounding == 7) rounding = load<u32>(hart, HART_FRM);
  if (rounding > 4) reserved = true;
  return rounding;
}

function execFused<T>(insn: u32): void {
  const rounding = roundingMode(insn);
  if (reserved) return;
  let a = operand<T>(fieldRs1(insn));
  let c = operand<T>(insn >> 27);
  const opcode = insn & 0x7f;
  // FNMSUB and FNMADD negate the product, FMSUB and FNMADD the addend.
  if (opcode == 0x4b || opcode == 0x4f) a ^= signMask<T>();
  if (opcode == 0x47 || opcode == 0x4f) c ^= signMask<T>();
  setResult<T>(fieldRd(insn), fusedMultiplyAdd<T>(a, operand<T>(fieldRs2(insn)), c, rounding));
}

function execArithmetic<T>(insn: u32, operation: u32): void {
  const rounding = roundingMode(insn);
  if (operation == 0x0b && fieldRs2(insn) != 0) reserved = true;
  if (reserved) return;
  const a = operand<T>(fieldRs1(insn));
  const b = operand<T>(fieldRs2(insn));
  let result: u64;
  switch (operation) {
    case 0x00:
      result = add<T>(a, b, rounding);
      break;
    case 0x01:
      result = subtract<T>(a, b, rounding);
      break;
    case 0x02:
      result = multiply<T>(a, b, rounding);
      break;
    case 0x03:
      result = divide<T>(a, b, rounding);
      break;
    default:
      result = squareRoot<T>(a, rounding);
  }
  setResult<T>(fieldRd(insn), result);
}

/** FCVT.S.D and FCVT.D.S; T is the destination. */
function execResize<T>(insn: u32): void {
  const source = fieldRs2(insn);
  const rounding = roundingMode(insn);
  if (sizeof<T>() == 4) {
    if (source != 1) reserved = true;
    if (!reserved) setResult<T>(fieldRd(insn), narrow(getF(fieldRs1(insn)), rounding));
  } else {
    if (source != 0) reserved = true;
    if (!reserved) setResult<T>(fieldRd(insn), widen(operand<f32>(fieldRs1(insn))));
  }
}

function execToInteger<T>(insn: u32): void {
  const rounding = roundingMode(insn);
  if (fieldRs2(insn) > 3) reserved = true;
  if (!reserved) setX(fieldRd(insn), toInteger<T>(operand<T>(fieldRs1(insn)), fieldRs2(insn), rounding));
}

function execFromInteger<T>(insn: u32): void {
  const rounding = roundingMode(insn);
  if (fieldRs2(insn) > 3) reserved = true;
  if (!reserved) setResult<T>(fieldRd(insn), fromInteger<T>(getX(fieldRs1(insn)), fieldRs2(insn), rounding));
}

function execCompare<T>(insn: u32): void {
  const a = operand<T>(fieldRs1(insn));
  const b = operand<T>(fieldRs2(insn));
  switch (fieldFunct3(insn)) {
    case 0:
      return setX(fieldRd(insn), less<T>(a, b, true));
    case 1:
      return setX(fieldRd(insn), less<T>(a, b, false));
    case 2:
      return setX(fieldRd(insn), equal<T>(a, b));
    default:
      reserved = true;
  }
}

/** FMV.X.W, FMV.X.D and FCLASS; a move does not look at NaN boxing. */
function execToRaw<T>(insn: u32): void {
  if (fieldRs2(insn) != 0 || fieldFunct3(insn) > 1) {
    reserved = true;
  } else if (fieldFunct3(insn) == 1) {
    setX(fieldRd(insn), classify<T>(operand<T>(fieldRs1(insn))));
  } else {
    const bits = getF(fieldRs1(insn));
    setX(fieldRd(insn), sizeof<T>() == 8 ? bits : <u64>(<i64>(<i32>bits)));
  }
}

function execFromRaw<T>(insn: u32): void {
  if (fieldRs2(insn) != 0 || fieldFunct3(insn) != 0) reserved = true;
  else
    setResult<T>(fieldRd(insn), sizeof<T>() == 8 ? getX(fieldRs1(insn)) : getX(fieldRs1(insn)) & 0xffffffff);
}

function execFormat<T>(insn: u32): void {
  const operation = insn >> 27;
  if ((insn & 0x7f) != 0x53) return execFused<T>(insn);
  switch (operation) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x03:
    case 0x0b:
      return execArithmetic<T>(insn, operation);
    case 0x04:
      if (fieldFunct3(insn) > 2) break;
      return setResult<T>(
        fieldRd(insn),
        injectSign<T>(operand<T>(fieldRs1(insn)), operand<T>(fieldRs2(insn)), fieldFunct3(insn)),
      );
    case 0x05:
      if (fieldFunct3(insn) > 1) break;
      return setResult<T>(
        fieldRd(insn),
        extremum<T>(operand<T>(fieldRs1(insn)), operand<T>(fieldRs2(insn)), fieldFunct3(insn) == 1),
      );
    case 0x08:
      return execResize<T>(insn);
    case 0x14:
      return execCompare<T>(insn);
    case 0x18:
      return execToInteger<T>(insn);
    case 0x1a:
      return execFromInteger<T>(insn);
    case 0x1c:
      return execToRaw<T>(insn);
    case 0x1e:
      return execFromRaw<T>(insn);
    default:
      break;
  }
  reserved = true;
}

/** Executes an instruction; false, with nothing changed, if it is none in the current state. */
export function tryFloat(insn: u32): bool {
  const state = mstatus() & MSTATUS_FS;
  reserved = state == 0;
  if (!reserved) {
    const format = (insn >> 25) & 3;
    if (format == 0) execFormat<f32>(insn);
    else if (format == 1) execFormat<f64>(insn);
    else reserved = true;
  }
  if (reserved) return false;
  if (state != MSTATUS_FS) setMstatus(mstatus() | MSTATUS_FS);
  return true;
}

/** Executes the instruction at `pc`; false if it trapped. */
export function execFloat(insn: u32, pc: u64): bool {
  if (tryFloat(insn)) return true;
  takeException(Cause.ILLEGAL, insn, pc);
  return false;
}
