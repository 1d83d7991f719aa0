/**
 * The run loop: executes decoded ops until its budget is used up or somebody must be asked.
 *
 * What is needed all the time lives in locals: `op`, the address of the current op; `bias`, with
 * which it makes a pc; `n`, the instructions left in the chunk; `H`, the hart's base; `D` and
 * `context`, the data TLB's table and tag. Functions that may trap, change modes or move a page's
 * translation leave the new values in globals (nextOp, pcBias, dataTlb, dataContext), from which the
 * loop takes them back.
 *
 * Between chunks, that is at least every CHUNK instructions, the loop looks at HART_ATTENTION.
 */
import {
  ATTENTION_EXIT,
  ATTENTION_FENCE,
  DTLB_WRITE,
  EXIT_ATTENTION,
  EXIT_BUDGET,
  FENCE_I,
  FENCE_VMA,
  HART_ATTENTION,
  HART_BUS_FAULT,
  HART_EXECUTED,
  HART_FENCE_ACK,
  HART_FENCE_KIND,
  HART_FENCE_REQUEST,
  HART_PC,
} from '../../layout';
import { execAtomic } from './amo';
import { Cause, MSTATUS_FS } from './cause';
import { execFloat } from './float';
import { boxed3, fusedDouble, fusedSingle, getDouble, getSingle } from './fused';
import { runUnits } from './jit';
import { loadSlow, readVirtual, accessCause, accessAddress, storeSlow } from './memory';
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, rem, remu, remuw, remw } from './muldiv';
import {
  bitsOf,
  boxed1,
  boxed2,
  d1,
  d2,
  distance,
  floatDirty,
  floatReady,
  fs2,
  hostOfVa,
  imm,
  pcOf,
  rs1,
  rs2,
  s1,
  s2,
  safeD,
  safeS,
  safeSumD,
  safeSumS,
  tagOf,
  writeD,
  writeFd,
  writeRd,
  writeS,
} from './operands';
import { Op } from './ops';
import {
  decodeAt,
  enter,
  enterStraddle,
  fenceI,
  fetchBits,
  fetchFaultCause,
  nextOp,
  pcBias,
  sampleHeat,
} from './pages';
import {
  chunk,
  hart,
  immI,
  fieldRs1,
  fieldFunct3,
  getX,
  left,
  mstatus,
  setChunk,
  setLeft,
  setMstatus,
} from './state';
import { clearExit, execSystem, exitReason } from './system';
import { dataContext, dataTlb, execContext, execTlb, flushAll, tlbIndex } from './tlb';
import { resume, takeException, updateTimers } from './trap';

/** Instructions between two looks at HART_ATTENTION: about 5 µs. */
const CHUNK: u32 = 1024;
/** The same where translated code does not return by itself. */
const TRANSLATED_CHUNK: u32 = 16384;
/** Instructions after which the time is asked for. */
const TIME_CHUNK: i32 = 8192;
/** Instructions left until then. */
let timeIn: i32 = 0;
let budgetLeft: u32 = 0;
/** Instructions executed in translated code since the last look at HART_ATTENTION. */
let unattended: u32 = 0;
/** Interpreted instructions until the next sample; the state of the generator its distances are from. */
let sampleIn: u32 = 0;
let random: u32 = 1;

/** In place of a pc, which is never odd: the op to go on with is published in nextOp. */
const MOVED: u64 = 1;
/** The op is left to execFloat. */
const FLOAT_SLOW: u64 = 3;

/** Marks the floating-point state dirty, or traps if it is off; false then. */
function floatSlow(op: usize, bias: u64): bool {
  if ((mstatus() & MSTATUS_FS) == 0) {
    const pc = pcOf(bias, op);
    takeException(Cause.ILLEGAL, fetchBits(pc), pc);
    return false;
  }
  setMstatus(mstatus() | MSTATUS_FS);
  return true;
}

/**
 * FENCE as a sequentially consistent read-modify-write of a word of our own: the compiler's
 * atomic.fence does not validate.
 */
@inline
function fullFence(): void {
  atomic.or<u32>(hart, 0, HART_BUS_FAULT);
}

/** Accounts for the chunk's executed part and makes `HART_PC` current. */
function settle(pc: u64, n: u32): void {
  timeIn -= <i32>(chunk - n);
  sampleIn -= chunk - n;
  store<u64>(hart, load<u64>(hart, HART_EXECUTED) + <u64>(chunk - n), HART_EXECUTED);
  store<u64>(hart, pc, HART_PC);
  setChunk(0);
}

function serveFence(): void {
  const request = atomic.load<u32>(hart, HART_FENCE_REQUEST);
  const kind = atomic.xchg<u32>(hart, 0, HART_FENCE_KIND);
  if (kind & FENCE_I) fenceI();
  if (kind & FENCE_VMA) flushAll();
  // ORDER: pairs with the requester's wait for HART_FENCE_ACK; the flushes above come first.
  atomic.store<u32>(hart, request, HART_FENCE_ACK);
  atomic.notify(hart + HART_FENCE_ACK, -1);
}

/**
 * Runs translated code from the entry op at `op` with what is left of the budget, of which the chunk
 * has `n`. Returns what the chunk has left then.
 */
function runTranslated(op: usize, pc: u64, n: u32): u32 {
  setLeft(n);
  const budget = min(budgetLeft + n, TRANSLATED_CHUNK);
  const used = runUnits(op, pc, budget, CHUNK);
  unattended += used;
  timeIn -= <i32>used;
  // What is not taken from the chunk has to be accounted for here.
  const fromRest = min(used, budgetLeft);
  budgetLeft -= fromRest;
  store<u64>(hart, load<u64>(hart, HART_EXECUTED) + fromRest, HART_EXECUTED);
  return n - (used - fromRest);
}

/**
 * CHUNK on average and hardly ever the same: of a loop whose length divides it, samples at equal distances would see
 * one place only. A linear congruential generator is good enough (Numerical Recipes, 7.1).
 */
function sampleDistance(): u32 {
  random = random * 1664525 + 1013904223;
  return CHUNK / 2 + (random >>> 16) % CHUNK;
}

/**
 * Starts the next chunk at HART_PC, at most up to the next sample: serves requests, takes a due interrupt, enters the
 * pc. Returns -1, or the reason to leave the loop.
 */
function nextChunk(): i32 {
  unattended = 0;
  if (timeIn <= 0) {
    updateTimers();
    timeIn = TIME_CHUNK;
  }
  // ORDER: pairs with the OR of whoever changed a line or asked for something before it.
  const attention = atomic.xchg<u32>(hart, 0, HART_ATTENTION);
  if (attention & ATTENTION_FENCE) serveFence();
  if (attention & ATTENTION_EXIT) return EXIT_ATTENTION;
  if (budgetLeft == 0) return EXIT_BUDGET;
  if (sampleIn == 0) sampleIn = sampleDistance();
  const size = min(min(budgetLeft, CHUNK), sampleIn);
  budgetLeft -= size;
  resume(load<u64>(hart, HART_PC));
  setChunk(size);
  return -1;
}

/** Executes up to `budget` instructions from HART_PC; returns an EXIT_ reason. */
export function run(budget: u32): u32 {
  const H = hart;
  budgetLeft = budget;
  timeIn = 0;
  clearExit();
  let reason = nextChunk();
  if (reason >= 0) return reason;
  let n = left;
  let op = nextOp;
  let bias = pcBias;
  let D = dataTlb;
  let context = dataContext;
  let pc: u64 = 0;

  while (true) {
    if (n == 0) {
      settle(pcOf(bias, op), 0);
      if (sampleIn == 0) sampleHeat(op);
      reason = nextChunk();
      if (reason >= 0) return reason;
      n = left;
      op = nextOp;
      bias = pcBias;
      D = dataTlb;
      context = dataContext;
    }
    n--;
    switch (<u32>load<u8>(op)) {
      // ── Not instructions ──
      case Op.UNDECODED:
        n++;
        decodeAt(op);
        continue;
      case Op.PAGE_END:
        n++;
        pc = pcOf(bias, op);
        break;
      case Op.STRADDLE:
        pc = pcOf(bias, op);
        if (enterStraddle(op, pc)) n++;
        else {
          const cause = fetchFaultCause(pc + 2);
          if (cause == Cause.NONE) {
            n++;
            break;
          }
          takeException(cause, pc + 2, pc);
        }
        pc = MOVED;
        break;

      case Op.JIT:
        n = runTranslated(op, pcOf(bias, op), n + 1);
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        if (unattended < CHUNK) continue;
        // The chunk goes on where it was, so that the samples taken at its end are fair.
        settle(pcOf(bias, op), n);
        budgetLeft += n;
        reason = nextChunk();
        if (reason >= 0) return reason;
        n = left;
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;

      // ── Executed by functions that enter what follows ──
      case Op.FETCH_FAULT: {
        pc = pcOf(bias, op);
        const cause = fetchFaultCause(pc);
        if (cause == Cause.NONE) {
          n++;
          break;
        }
        takeException(cause, pc, pc);
        pc = MOVED;
        break;
      }
      case Op.ILLEGAL:
        takeException(Cause.ILLEGAL, bitsOf(op), pcOf(bias, op));
        pc = MOVED;
        break;
      case Op.SYSTEM:
        setLeft(n);
        execSystem(bitsOf(op), pcOf(bias, op));
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        if (exitReason >= 0) {
          settle(pcOf(bias, op), n);
          return exitReason;
        }
        continue;
      case Op.ATOMIC:
        if (execAtomic(bitsOf(op), pcOf(bias, op))) {
          op += 16;
          continue;
        }
        pc = MOVED;
        break;
      case Op.FLOAT:
        pc = FLOAT_SLOW;
        break;
      case Op.LOAD_X0:
        if (loadX0(bitsOf(op), pcOf(bias, op))) {
          op += 16;
          continue;
        }
        pc = MOVED;
        break;
      case Op.FENCE:
        fullFence();
        op += 16;
        continue;
      case Op.NOP:
        op += 16;
        continue;
      case Op.C_NOP:
        op += 8;
        continue;

      // ── Integer register-immediate ──
      case Op.LI:
        writeRd(H, op, imm(op));
        op += 16;
        continue;
      case Op.C_LI:
        writeRd(H, op, imm(op));
        op += 8;
        continue;
      case Op.AUIPC:
        writeRd(H, op, <i64>pcOf(bias, op) + imm(op));
        op += 16;
        continue;
      case Op.MV:
        writeRd(H, op, rs1(H, op));
        op += 16;
        continue;
      case Op.C_MV:
        writeRd(H, op, rs1(H, op));
        op += 8;
        continue;
      case Op.ADDI:
        writeRd(H, op, rs1(H, op) + imm(op));
        op += 16;
        continue;
      case Op.C_ADDI:
        writeRd(H, op, rs1(H, op) + imm(op));
        op += 8;
        continue;
      case Op.SLTI:
        writeRd(H, op, <i64>(rs1(H, op) < imm(op)));
        op += 16;
        continue;
      case Op.SLTIU:
        writeRd(H, op, <i64>(<u64>rs1(H, op) < <u64>imm(op)));
        op += 16;
        continue;
      case Op.XORI:
        writeRd(H, op, rs1(H, op) ^ imm(op));
        op += 16;
        continue;
      case Op.ORI:
        writeRd(H, op, rs1(H, op) | imm(op));
        op += 16;
        continue;
      case Op.ANDI:
        writeRd(H, op, rs1(H, op) & imm(op));
        op += 16;
        continue;
      case Op.C_ANDI:
        writeRd(H, op, rs1(H, op) & imm(op));
        op += 8;
        continue;
      case Op.SLLI:
        writeRd(H, op, rs1(H, op) << imm(op));
        op += 16;
        continue;
      case Op.C_SLLI:
        writeRd(H, op, rs1(H, op) << imm(op));
        op += 8;
        continue;
      case Op.SRLI:
        writeRd(H, op, <i64>(<u64>rs1(H, op) >> <u64>imm(op)));
        op += 16;
        continue;
      case Op.C_SRLI:
        writeRd(H, op, <i64>(<u64>rs1(H, op) >> <u64>imm(op)));
        op += 8;
        continue;
      case Op.SRAI:
        writeRd(H, op, rs1(H, op) >> imm(op));
        op += 16;
        continue;
      case Op.C_SRAI:
        writeRd(H, op, rs1(H, op) >> imm(op));
        op += 8;
        continue;
      case Op.ADDIW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) + imm(op))));
        op += 16;
        continue;
      case Op.C_ADDIW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) + imm(op))));
        op += 8;
        continue;
      case Op.SLLIW:
        writeRd(H, op, <i64>((<i32>rs1(H, op)) << (<i32>imm(op))));
        op += 16;
        continue;
      case Op.SRLIW:
        writeRd(H, op, <i64>(<i32>(<u32>rs1(H, op) >> <u32>imm(op))));
        op += 16;
        continue;
      case Op.SRAIW:
        writeRd(H, op, <i64>(<i32>rs1(H, op) >> <i32>imm(op)));
        op += 16;
        continue;

      // ── Integer register-register ──
      case Op.ADD:
        writeRd(H, op, rs1(H, op) + rs2(H, op));
        op += 16;
        continue;
      case Op.C_ADD:
        writeRd(H, op, rs1(H, op) + rs2(H, op));
        op += 8;
        continue;
      case Op.SUB:
        writeRd(H, op, rs1(H, op) - rs2(H, op));
        op += 16;
        continue;
      case Op.C_SUB:
        writeRd(H, op, rs1(H, op) - rs2(H, op));
        op += 8;
        continue;
      case Op.SLL:
        writeRd(H, op, rs1(H, op) << (rs2(H, op) & 63));
        op += 16;
        continue;
      case Op.SLT:
        writeRd(H, op, <i64>(rs1(H, op) < rs2(H, op)));
        op += 16;
        continue;
      case Op.SLTU:
        writeRd(H, op, <i64>(<u64>rs1(H, op) < <u64>rs2(H, op)));
        op += 16;
        continue;
      case Op.XOR:
        writeRd(H, op, rs1(H, op) ^ rs2(H, op));
        op += 16;
        continue;
      case Op.C_XOR:
        writeRd(H, op, rs1(H, op) ^ rs2(H, op));
        op += 8;
        continue;
      case Op.SRL:
        writeRd(H, op, <i64>(<u64>rs1(H, op) >> <u64>(rs2(H, op) & 63)));
        op += 16;
        continue;
      case Op.SRA:
        writeRd(H, op, rs1(H, op) >> (rs2(H, op) & 63));
        op += 16;
        continue;
      case Op.OR:
        writeRd(H, op, rs1(H, op) | rs2(H, op));
        op += 16;
        continue;
      case Op.C_OR:
        writeRd(H, op, rs1(H, op) | rs2(H, op));
        op += 8;
        continue;
      case Op.AND:
        writeRd(H, op, rs1(H, op) & rs2(H, op));
        op += 16;
        continue;
      case Op.C_AND:
        writeRd(H, op, rs1(H, op) & rs2(H, op));
        op += 8;
        continue;
      case Op.ADDW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) + rs2(H, op))));
        op += 16;
        continue;
      case Op.C_ADDW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) + rs2(H, op))));
        op += 8;
        continue;
      case Op.SUBW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) - rs2(H, op))));
        op += 16;
        continue;
      case Op.C_SUBW:
        writeRd(H, op, <i64>(<i32>(rs1(H, op) - rs2(H, op))));
        op += 8;
        continue;
      case Op.SLLW:
        writeRd(H, op, <i64>((<i32>rs1(H, op)) << (<i32>rs2(H, op) & 31)));
        op += 16;
        continue;
      case Op.SRLW:
        writeRd(H, op, <i64>(<i32>(<u32>rs1(H, op) >> (<u32>rs2(H, op) & 31))));
        op += 16;
        continue;
      case Op.SRAW:
        writeRd(H, op, <i64>(<i32>rs1(H, op) >> (<i32>rs2(H, op) & 31)));
        op += 16;
        continue;

      // ── Multiply and divide ──
      case Op.MUL:
        writeRd(H, op, rs1(H, op) * rs2(H, op));
        op += 16;
        continue;
      case Op.MULH:
        writeRd(H, op, mulh(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.MULHSU:
        writeRd(H, op, mulhsu(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.MULHU:
        writeRd(H, op, <i64>mulhu(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.DIV:
        writeRd(H, op, div(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.DIVU:
        writeRd(H, op, <i64>divu(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.REM:
        writeRd(H, op, rem(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.REMU:
        writeRd(H, op, <i64>remu(rs1(H, op), rs2(H, op)));
        op += 16;
        continue;
      case Op.MULW:
        writeRd(H, op, <i64>(<i32>rs1(H, op) * <i32>rs2(H, op)));
        op += 16;
        continue;
      case Op.DIVW:
        writeRd(H, op, <i64>divw(<i32>rs1(H, op), <i32>rs2(H, op)));
        op += 16;
        continue;
      case Op.DIVUW:
        writeRd(H, op, <i64>(<i32>divuw(<u32>rs1(H, op), <u32>rs2(H, op))));
        op += 16;
        continue;
      case Op.REMW:
        writeRd(H, op, <i64>remw(<i32>rs1(H, op), <i32>rs2(H, op)));
        op += 16;
        continue;
      case Op.REMUW:
        writeRd(H, op, <i64>(<i32>remuw(<u32>rs1(H, op), <u32>rs2(H, op))));
        op += 16;
        continue;

      // ── Loads: hit in the read TLB, or loadSlow ──
      case Op.LB: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 1) | context)) {
          writeRd(H, op, <i64>load<i8>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LH: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 2) | context)) {
          writeRd(H, op, <i64>load<i16>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LW: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 4) | context)) {
          writeRd(H, op, <i64>load<i32>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LD: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeRd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LBU: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 1) | context)) {
          writeRd(H, op, <i64>load<u8>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LHU: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 2) | context)) {
          writeRd(H, op, <i64>load<u16>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.LWU: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 4) | context)) {
          writeRd(H, op, <i64>load<u32>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.C_LW: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 4) | context)) {
          writeRd(H, op, <i64>load<i32>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }
      case Op.C_LD: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeRd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }
      case Op.FLW: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 4) | context)) {
          writeFd(H, op, <i64>(<u64>load<u32>(hostOfVa(entry, va)) | 0xffffffff00000000));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.FLD: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeFd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.C_FLD: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeFd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }

      // ── Stores: hit in the write TLB, or storeSlow ──
      case Op.SB: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 1) | context)) {
          store<u8>(hostOfVa(entry + DTLB_WRITE, va), <u8>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.SH: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 2) | context)) {
          store<u16>(hostOfVa(entry + DTLB_WRITE, va), <u16>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.SW: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 4) | context)) {
          store<u32>(hostOfVa(entry + DTLB_WRITE, va), <u32>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.SD: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.C_SW: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 4) | context)) {
          store<u32>(hostOfVa(entry + DTLB_WRITE, va), <u32>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }
      case Op.C_SD: {
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>rs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }
      case Op.FSW: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 4) | context)) {
          store<u32>(hostOfVa(entry + DTLB_WRITE, va), <u32>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.FSD: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 16;
        continue;
      }
      case Op.C_FSD: {
        if (!floatDirty(H) && !floatSlow(op, bias)) {
          pc = MOVED;
          break;
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          pc = MOVED;
          break;
        }
        op += 8;
        continue;
      }

      // ── Floating point: native where that is exact to the flag, execFloat below otherwise ──
      case Op.FADD_D: {
        if (floatReady(H)) {
          const result = d1(H, op) + d2(H, op);
          if (safeSumD(result)) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FSUB_D: {
        if (floatReady(H)) {
          const result = d1(H, op) - d2(H, op);
          if (safeSumD(result)) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FMUL_D: {
        if (floatReady(H)) {
          const result = d1(H, op) * d2(H, op);
          if (safeD(result)) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FDIV_D: {
        if (floatReady(H)) {
          const result = d1(H, op) / d2(H, op);
          if (safeD(result)) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FADD_S: {
        if (floatReady(H) && boxed1(H, op) && boxed2(H, op)) {
          const result = s1(H, op) + s2(H, op);
          if (safeSumS(result)) {
            writeS(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FSUB_S: {
        if (floatReady(H) && boxed1(H, op) && boxed2(H, op)) {
          const result = s1(H, op) - s2(H, op);
          if (safeSumS(result)) {
            writeS(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FMUL_S: {
        if (floatReady(H) && boxed1(H, op) && boxed2(H, op)) {
          const result = s1(H, op) * s2(H, op);
          if (safeS(result)) {
            writeS(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FDIV_S: {
        if (floatReady(H) && boxed1(H, op) && boxed2(H, op)) {
          const result = s1(H, op) / s2(H, op);
          if (safeS(result)) {
            writeS(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FSQRT_D: {
        if (floatReady(H)) {
          const result = sqrt(d1(H, op));
          if (safeD(result)) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FUSED_D: {
        if (floatReady(H)) {
          const insn = bitsOf(op);
          // FNMSUB and FNMADD negate the product, FMSUB and FNMADD the addend.
          const product = insn & 8 ? -d1(H, op) : d1(H, op);
          const addend = getDouble(H, insn >> 27);
          const result = fusedDouble(product, d2(H, op), insn & 4 ? -addend : addend);
          if (result == result) {
            writeD(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FUSED_S: {
        if (floatReady(H) && boxed1(H, op) && boxed2(H, op) && boxed3(H, bitsOf(op))) {
          const insn = bitsOf(op);
          // FNMSUB and FNMADD negate the product, FMSUB and FNMADD the addend.
          const product = insn & 8 ? -s1(H, op) : s1(H, op);
          const addend = getSingle(H, insn >> 27);
          const result = fusedSingle(product, s2(H, op), insn & 4 ? -addend : addend);
          if (safeS(result)) {
            writeS(H, op, result);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FEQ_D: {
        if (floatDirty(H)) {
          const a = d1(H, op);
          const b = d2(H, op);
          if (a == a && b == b) {
            writeRd(H, op, <i64>(a == b));
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FLT_D: {
        if (floatDirty(H)) {
          const a = d1(H, op);
          const b = d2(H, op);
          if (a == a && b == b) {
            writeRd(H, op, <i64>(a < b));
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FLE_D: {
        if (floatDirty(H)) {
          const a = d1(H, op);
          const b = d2(H, op);
          if (a == a && b == b) {
            writeRd(H, op, <i64>(a <= b));
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FMV_D: {
        if (floatDirty(H)) {
          writeFd(H, op, fs2(H, op));
          op += 16;
          continue;
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FMV_X_D: {
        if (floatDirty(H)) {
          writeRd(H, op, fs2(H, op));
          op += 16;
          continue;
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FMV_D_X: {
        if (floatDirty(H)) {
          writeFd(H, op, rs1(H, op));
          op += 16;
          continue;
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FCVT_D_W: {
        if (floatDirty(H)) {
          writeD(H, op, <f64>(<i32>rs1(H, op)));
          op += 16;
          continue;
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FCVT_D_L: {
        if (floatReady(H)) {
          writeD(H, op, <f64>rs1(H, op));
          op += 16;
          continue;
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FCVT_W_D: {
        if (floatReady(H)) {
          const value = d1(H, op);
          if (abs(value) < 2147483647.0) {
            writeRd(H, op, <i64>(<i32>value));
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }
      case Op.FCVT_L_D: {
        if (floatReady(H)) {
          const value = d1(H, op);
          if (abs(value) < 9.2e18) {
            writeRd(H, op, <i64>value);
            op += 16;
            continue;
          }
        }
        pc = FLOAT_SLOW;
        break;
      }

      // ── Branches and jumps within the page ──
      case Op.BEQ:
        op += rs1(H, op) == rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.BNE:
        op += rs1(H, op) != rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.BLT:
        op += rs1(H, op) < rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.BGE:
        op += rs1(H, op) >= rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.BLTU:
        op += <u64>rs1(H, op) < <u64>rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.BGEU:
        op += <u64>rs1(H, op) >= <u64>rs2(H, op) ? distance(op) : 16;
        continue;
      case Op.C_BEQZ:
        op += rs1(H, op) == 0 ? distance(op) : 8;
        continue;
      case Op.C_BNEZ:
        op += rs1(H, op) != 0 ? distance(op) : 8;
        continue;
      case Op.JAL:
        writeRd(H, op, <i64>pcOf(bias, op) + 4);
        op += distance(op);
        continue;
      case Op.J:
        op += distance(op);
        continue;

      // ── Branches and jumps that may leave it: set pc, then look up its page below ──
      case Op.BEQ_FAR:
        if (!(rs1(H, op) == rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.BNE_FAR:
        if (!(rs1(H, op) != rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.BLT_FAR:
        if (!(rs1(H, op) < rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.BGE_FAR:
        if (!(rs1(H, op) >= rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.BLTU_FAR:
        if (!(<u64>rs1(H, op) < <u64>rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.BGEU_FAR:
        if (!(<u64>rs1(H, op) >= <u64>rs2(H, op))) {
          op += 16;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.C_BEQZ_FAR:
        if (!(rs1(H, op) == 0)) {
          op += 8;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.C_BNEZ_FAR:
        if (!(rs1(H, op) != 0)) {
          op += 8;
          continue;
        }
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.JAL_FAR:
        pc = pcOf(bias, op);
        writeRd(H, op, pc + 4);
        pc += imm(op);
        break;
      case Op.J_FAR:
        pc = pcOf(bias, op) + imm(op);
        break;
      case Op.JALR:
        pc = (rs1(H, op) + imm(op)) & ~1;
        writeRd(H, op, <i64>pcOf(bias, op) + 4);
        break;
      case Op.JR:
        pc = (rs1(H, op) + imm(op)) & ~1;
        break;
      case Op.C_JR:
        pc = rs1(H, op) & ~1;
        break;
      case Op.C_JALR:
        pc = rs1(H, op) & ~1;
        writeRd(H, op, <i64>pcOf(bias, op) + 2);
        break;
      default:
        unreachable();
    }
    if (pc & 1) {
      if (pc == FLOAT_SLOW && execFloat(bitsOf(op), pcOf(bias, op))) {
        op += 16;
        continue;
      }
      op = nextOp;
      bias = pcBias;
      D = dataTlb;
      context = dataContext;
      continue;
    }
    // A transfer to `pc`, which may lie in another page.
    const entry = execTlb + tlbIndex(pc);
    const page = pc & ~0xfff;
    if (load<u64>(entry) == (page | execContext)) {
      const ops = <usize>load<u32>(entry, 8);
      op = ops + ((<usize>pc & 0xffe) << 2);
      bias = page - (ops >> 2);
    } else {
      enter(pc);
      op = nextOp;
      bias = pcBias;
      context = dataContext;
    }
  }
}

/** A load into x0: only its faults and side effects count. */
function loadX0(insn: u32, pc: u64): bool {
  readVirtual(getX(fieldRs1(insn)) + <i64>immI(insn), 1 << (fieldFunct3(insn) & 3));
  if (accessCause == Cause.NONE) return true;
  takeException(accessCause, accessAddress, pc);
  return false;
}
