/** FCVT: between singles and doubles, and between them and integers. */
import type { Code } from '../asm/code.ts';
import { f32, f64, i32, i64 } from '../asm/opcodes.ts';
import type { Insn } from '../decode.ts';
import { emitBoxed, emitBoxedResult, emitMayRound, emitSingle, emitSingleStands } from './float-range.ts';
import { emitIf, emitIfX } from './float-result.ts';
import type { UnitCode } from './unit-code.ts';

/** Rounding modes. */
const [RNE, RDN, RUP, RMM, DYN] = [0, 2, 3, 4, 7];
/** What rounds a double to a whole one, by rounding mode; truncating does it for RTZ. */
const ROUND: Readonly<Record<number, number | undefined>> = {
  [RNE]: f64.nearest,
  [RDN]: f64.floor,
  [RUP]: f64.ceil,
  [DYN]: f64.nearest,
};

interface Integer {
  /** From and to a double. */
  readonly convert: number;
  readonly truncate: number;
  /** To a single. */
  readonly convertSingle: number;
  /** A whole number is in range if it is between these. */
  readonly above: number;
  readonly below: number;
  readonly wide: boolean;
}
/** Kinds of integers by the rs2 field: W, WU, L, LU. */
const INTEGER: readonly Integer[] = [
  {
    convert: f64.convertI32S,
    truncate: i32.truncF64S,
    convertSingle: f32.convertI32S,
    above: -(2 ** 31) - 1,
    below: 2 ** 31,
    wide: false,
  },
  {
    convert: f64.convertI32U,
    truncate: i32.truncF64U,
    convertSingle: f32.convertI32U,
    above: -1,
    below: 2 ** 32,
    wide: false,
  },
  {
    convert: f64.convertI64S,
    truncate: i64.truncF64S,
    convertSingle: f32.convertI64S,
    // There is no double between −2^63 and the one below it that would do: −2^63 is left to the helper.
    above: -(2 ** 63),
    below: 2 ** 63,
    wide: true,
  },
  {
    convert: f64.convertI64U,
    truncate: i64.truncF64U,
    convertSingle: f32.convertI64U,
    above: -1,
    below: 2 ** 64,
    wide: true,
  },
];

/** Pushes the value of f`rs1` as a double. */
function emitValue(unit: UnitCode, insn: Insn, double: boolean): Code {
  return double ? unit.f(insn.rs1) : emitSingle(unit, insn.rs1).op(f64.promoteF32);
}

function emitToInteger(unit: UnitCode, insn: Insn, double: boolean, mode: number): boolean {
  const kind = INTEGER[insn.rs2];
  if (kind === undefined || mode === RMM) return false;
  const { code } = unit;
  emitValue(unit, insn, double);
  const round = ROUND[mode];
  if (round !== undefined) code.op(round);
  code.tee(unit.double).f64(kind.above).op(f64.gt);
  code.get(unit.double).f64(kind.below).op(f64.lt, i32.and);
  // Inexact is raised already, or it might have to be.
  emitMayRound(unit).op(i32.and);
  if (!double) emitBoxed(unit, [insn.rs1]).op(i32.and);
  emitIfX(unit, insn, () => {
    code.get(unit.double).op(kind.truncate);
    if (!kind.wide) code.op(i64.extendI32S);
  });
  return true;
}

function emitFromInteger(unit: UnitCode, insn: Insn, double: boolean, mode: number): boolean {
  const kind = INTEGER[insn.rs2];
  if (kind === undefined) return false;
  const exact = double && !kind.wide;
  if (!exact && mode !== RNE && mode !== DYN) return false;
  const { code } = unit;
  const push = (): void => {
    unit.x(insn.rs1);
    if (!kind.wide) code.op(i32.wrapI64);
    if (double) code.op(kind.convert);
    else {
      code.op(kind.convertSingle).set(unit.single);
      emitBoxedResult(unit);
    }
  };
  if (exact && mode !== DYN) {
    push();
    unit.setF(insn.rd);
    return true;
  }
  unit.cacheX(insn.rs1);
  emitMayRound(unit);
  emitIf(unit, insn, push);
  return true;
}

/** FCVT.D.S is exact, FCVT.S.D is not. */
function emitResize(unit: UnitCode, insn: Insn, toDouble: boolean, mode: number): boolean {
  const { code, double, single } = unit;
  const { rs1, rs2 } = insn;
  if (rs2 !== (toDouble ? 0 : 1)) return false;
  if (toDouble) {
    emitBoxed(unit, [rs1]);
    emitSingle(unit, rs1).tee(single).get(single).op(f32.eq, i32.and);
    // With another value in frm the instruction may be none.
    if (mode === DYN) emitMayRound(unit).op(i32.and);
    emitIf(unit, insn, () => void code.get(single).op(f64.promoteF32));
    return true;
  }
  if (mode !== RNE && mode !== DYN) return false;
  unit.f(rs1).tee(double).op(f32.demoteF64);
  emitSingleStands(unit, 'product');
  // A zero has become one without an underflow if it was one.
  code.get(double).f64(0).op(f64.eq);
  emitMayRound(unit).op(i32.and, i32.or);
  emitIf(unit, insn, () => emitBoxedResult(unit));
  return true;
}

/** Emits an FCVT of OP-FP's `operation`; false if it is the helper's. */
export function emitConversion(unit: UnitCode, insn: Insn, operation: number): boolean {
  const mode = (insn.bits >>> 12) & 7;
  const double = ((insn.bits >>> 25) & 3) === 1;
  if (mode > RMM && mode !== DYN) return false;
  if (operation === 0x08) return emitResize(unit, insn, double, mode);
  if (operation === 0x18) return emitToInteger(unit, insn, double, mode);
  return emitFromInteger(unit, insn, double, mode);
}
