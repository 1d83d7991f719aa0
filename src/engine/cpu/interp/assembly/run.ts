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
  HART_F,
  HART_FENCE_ACK,
  HART_FENCE_KIND,
  HART_FENCE_REQUEST,
  HART_MSTATUS,
  HART_PC,
  HART_X,
} from '../../layout';
import { execAtomic } from './amo';
import { Cause, MSTATUS_FS } from './cause';
import { execFloat } from './float';
import { loadSlow, readVirtual, accessCause, accessAddress, storeSlow } from './memory';
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, rem, remu, remuw, remw } from './muldiv';
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
/** The time is asked for once in this many chunks. */
const CHUNKS_PER_TIME: u32 = 8;
/** Chunks left until the time is asked for. */
let timeIn: u32 = 0;
let budgetLeft: u32 = 0;

@inline
function rs1(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 2), HART_X);
}

@inline
function rs2(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 3), HART_X);
}

@inline
function fs2(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 3), HART_F);
}

@inline
function imm(op: usize): i64 {
  return <i64>load<i32>(op, 4);
}

@inline
function writeRd(H: usize, op: usize, value: i64): void {
  store<i64>(H + load<u8>(op, 1), value, HART_X);
}

@inline
function writeFd(H: usize, op: usize, value: i64): void {
  store<i64>(H + load<u8>(op, 1), value, HART_F);
}

@inline
function pcOf(bias: u64, op: usize): i64 {
  return <i64>(bias + <u64>(op >> 2));
}

/** The page of an access's last byte: differs from every tag at its index if the access crosses. */
@inline
function tagOf(va: i64, size: i64): u64 {
  return <u64>((va + (size - 1)) & -4096);
}

@inline
function hostOfVa(entry: usize, va: i64): usize {
  return <usize>va + <usize>load<u32>(entry, 8);
}

/** Floating-point state is on and already marked dirty. */
@inline
function floatDirty(H: usize): bool {
  return (load<u64>(H, HART_MSTATUS) & MSTATUS_FS) == MSTATUS_FS;
}

/** Marks the floating-point state dirty, or traps if it is off; false then. */
function floatSlow(op: usize, bias: u64): bool {
  if ((mstatus() & MSTATUS_FS) == 0) {
    const pc = <u64>pcOf(bias, op);
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
 * Starts the next chunk at HART_PC: serves requests, takes a due interrupt, enters the pc. Returns
 * -1, or the reason to leave the loop.
 */
function nextChunk(): i32 {
  if (timeIn == 0) {
    updateTimers();
    timeIn = CHUNKS_PER_TIME;
  }
  timeIn--;
  // ORDER: pairs with the OR of whoever changed a line or asked for something before it.
  const attention = atomic.xchg<u32>(hart, 0, HART_ATTENTION);
  if (attention & ATTENTION_FENCE) serveFence();
  if (attention & ATTENTION_EXIT) return EXIT_ATTENTION;
  if (budgetLeft == 0) return EXIT_BUDGET;
  const size = min(budgetLeft, CHUNK);
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
      sampleHeat(op);
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
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;
      }
      case Op.ILLEGAL:
        takeException(Cause.ILLEGAL, load<u32>(op, 4), pcOf(bias, op));
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;
      case Op.SYSTEM:
        setLeft(n);
        execSystem(load<u32>(op, 4), pcOf(bias, op));
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
        if (execAtomic(load<u32>(op, 4), pcOf(bias, op))) {
          op += 16;
          continue;
        }
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;
      case Op.FLOAT:
        if (execFloat(load<u32>(op, 4), pcOf(bias, op))) {
          op += 16;
          continue;
        }
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;
      case Op.LOAD_X0:
        if (loadX0(load<u32>(op, 4), pcOf(bias, op))) {
          op += 16;
          continue;
        }
        op = nextOp;
        bias = pcBias;
        D = dataTlb;
        context = dataContext;
        continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 8;
        continue;
      }
      case Op.FLW: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 4) | context)) {
          writeFd(H, op, <i64>(<u64>load<u32>(hostOfVa(entry, va)) | 0xffffffff00000000));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 16;
        continue;
      }
      case Op.FLD: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeFd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 16;
        continue;
      }
      case Op.C_FLD: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry) == (tagOf(va, 8) | context)) {
          writeFd(H, op, load<i64>(hostOfVa(entry, va)));
        } else if (!loadSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
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
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 8;
        continue;
      }
      case Op.FSW: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 4) | context)) {
          store<u32>(hostOfVa(entry + DTLB_WRITE, va), <u32>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 16;
        continue;
      }
      case Op.FSD: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 16;
        continue;
      }
      case Op.C_FSD: {
        if (!floatDirty(H)) {
          if (!floatSlow(op, bias)) {
            op = nextOp;
            bias = pcBias;
            D = dataTlb;
            context = dataContext;
            continue;
          }
        }
        const va = rs1(H, op) + imm(op);
        const entry = D + tlbIndex(va);
        if (load<u64>(entry, DTLB_WRITE) == (tagOf(va, 8) | context)) {
          store<u64>(hostOfVa(entry + DTLB_WRITE, va), <u64>fs2(H, op));
        } else if (!storeSlow(op, va, pcOf(bias, op))) {
          op = nextOp;
          bias = pcBias;
          D = dataTlb;
          context = dataContext;
          continue;
        }
        op += 8;
        continue;
      }
      // ── Branches and jumps within the page ──
      case Op.BEQ:
        op += rs1(H, op) == rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.BNE:
        op += rs1(H, op) != rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.BLT:
        op += rs1(H, op) < rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.BGE:
        op += rs1(H, op) >= rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.BLTU:
        op += <u64>rs1(H, op) < <u64>rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.BGEU:
        op += <u64>rs1(H, op) >= <u64>rs2(H, op) ? <usize>load<i32>(op, 4) : 16;
        continue;
      case Op.C_BEQZ:
        op += rs1(H, op) == 0 ? <usize>load<i32>(op, 4) : 8;
        continue;
      case Op.C_BNEZ:
        op += rs1(H, op) != 0 ? <usize>load<i32>(op, 4) : 8;
        continue;
      case Op.JAL:
        writeRd(H, op, <i64>pcOf(bias, op) + 4);
        op += <usize>load<i32>(op, 4);
        continue;
      case Op.J:
        op += <usize>load<i32>(op, 4);
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
