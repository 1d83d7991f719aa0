/**
 * Running translated code, and what it calls when its fast paths don't apply.
 *
 * A translated unit is a function of a decoded page, made by jit/ in TypeScript and put into this
 * module's table. Ops with the handler JIT are its entries: { u8 JIT, u16 entry, u32 table slot }. A
 * unit executes instructions until it leaves its page, its budget is used up or it meets something
 * it leaves to the interpreter, and returns the next pc. Bit 0 of that pc asks for the instruction
 * there to be interpreted, so that every call of a unit is followed by progress. Its state is
 * precise then: registers in memory, nothing of the instruction at pc done.
 *
 * The exec TLB and the entry ops together are the jump cache between units.
 */
import { DTLB_WRITE, HART_JIT_LEFT, HART_RESERVATION } from '../../layout';
import { execAtomic } from './amo';
import { tryFloat } from './float';
import { enterReadable, enterWritable, readableRam, writableCell } from './memory';
import { mulh, mulhsu, mulhu } from './muldiv';
import { Op } from './ops';
import { enter, enterOriginal, nextOp, setNext, translationsDropped } from './pages';
import { fieldFunct3, fieldRs1, getX, hart } from './state';
import { dataContext, dataTlb, execContext, execTlb, tlbIndex } from './tlb';
import { tryCsr } from './zicsr';

/** Publishes the op at `pc` in nextOp and pcBias. */
@inline
function find(pc: u64): void {
  const page = pc & ~0xfff;
  const entry = execTlb + tlbIndex(pc);
  if (load<u64>(entry) == (page | execContext)) {
    const ops = <usize>load<u32>(entry, 8);
    setNext(ops + ((<usize>pc & 0xffe) << 2), page - (ops >> 2));
  } else {
    enter(pc);
  }
}

/**
 * Executes units from the entry op at `op`, as long as one leads to the next and fewer than `enough`
 * instructions were executed, at most `budget`. Returns the number executed; where to go on is in nextOp.
 */
export function runUnits(op: usize, pc: u64, budget: u32, enough: u32): u32 {
  let left = budget;
  while (true) {
    const next = call_indirect<u64>(
      load<u32>(op, 4),
      <u32>load<u16>(op, 2),
      pc & ~0xfff,
      left,
      <u32>dataTlb,
      dataContext,
    );
    left = load<u32>(hart, HART_JIT_LEFT);
    pc = next & ~1;
    find(pc);
    op = nextOp;
    if (load<u8>(op) != Op.JIT) break;
    if (next & 1) {
      enterOriginal(op, pc);
      break;
    }
    if (budget - left >= enough) break;
  }
  return budget - left;
}

// ── Slow paths. Those that return a status return 0 when the instruction is done. ────────────────

/** The instruction is the interpreter's. */
const NOT_DONE: u32 = 1;

/** Enters the page of the `size` bytes at `va` into the read TLB, if they are in one page of RAM. */
export function jitEnterReadable(va: u64, size: u32): u32 {
  return enterReadable(va, size) ? 0 : NOT_DONE;
}

/** The same for the write TLB; pages of decoded code are not entered. */
export function jitEnterWritable(va: u64, size: u32): u32 {
  return enterWritable(va, size) ? 0 : NOT_DONE;
}

/** LR, SC or AMO, operands and result in the register cells. */
export function jitAtomic(insn: u32, resume: u32): u32 {
  const va = getX(fieldRs1(insn));
  const size: u32 = 1 << fieldFunct3(insn);
  const operation = insn >> 27;
  if (va & (size - 1)) return NOT_DONE;
  if (operation == 2) {
    if (readableRam(va, size) == 0) return NOT_DONE;
  } else if (operation != 3 || load<u32>(hart, HART_RESERVATION) != 0) {
    const tag = (va & ~0xfff) | dataContext;
    if (load<u64>(dataTlb + tlbIndex(va), DTLB_WRITE) != tag && writableCell(va, size) == 0) return NOT_DONE;
  }
  const before = translationsDropped;
  execAtomic(insn, 0);
  return translationsDropped == before ? 0 : resume | 1;
}

/** OP-FP and the fused multiply-adds, operands and result in the register cells. */
export function jitFloat(insn: u32): u32 {
  return tryFloat(insn) ? 0 : NOT_DONE;
}

/** A CSR instruction that decode.ts lets through, operand and result in the register cells. */
export function jitCsr(insn: u32): u32 {
  return tryCsr(insn) ? 0 : NOT_DONE;
}

/** MULH, MULHSU, MULHU by funct3. */
export function jitMulHigh(a: u64, b: u64, funct3: u32): u64 {
  if (funct3 == 1) return <u64>mulh(a, b);
  return funct3 == 2 ? <u64>mulhsu(a, b) : mulhu(a, b);
}
