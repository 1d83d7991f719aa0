/** The function being emitted: its code, its locals, and the ways out of it. */
import { type Access, type AccessGroup, groupAccesses } from '../accesses.ts';
import { HART_F, HART_FFLAGS, HART_JIT_LEFT, HART_MSTATUS, HART_X } from '../../layout.ts';
import { PARAM, UNIT_TYPE } from '../abi.ts';
import { Code, type Label, type Local } from '../asm/code.ts';
import { control, F32, F64, f64, I32, I64, i32, i64 } from '../asm/opcodes.ts';
import type { Insn } from '../decode.ts';
import { findRotations, type Rotation } from '../rotations.ts';
import { DOUBLE_LIMIT, SINGLE_LIMIT } from './float-range.ts';

/** Bits of `exit` above the page offset: how many instructions of the block were not executed. */
const UNDONE_SHIFT = 16;
/** Asks for the instruction at the returned pc to be interpreted. */
const INTERPRET = 1;

/** A bit set of registers. */
export type Registers = number;

/** Registers of both files. */
export interface RegisterSets {
  readonly x: Registers;
  readonly f: Registers;
}

const MSTATUS_FS = 0x6000;

/**
 * The page a loop's accesses through one register went to last: its virtual address (or NO_PAGE), and what makes an
 * address in memory of one in it. Nothing in a unit takes a page out of reach again.
 */
export interface LastPage {
  readonly page: Local;
  readonly addend: Local;
}
/** No page's address. */
const NO_PAGE = 1;
const pageKey = (register: number, write: boolean): number => 2 * register + (write ? 1 : 0);

/**
 * Where a register's value is depends on where the code is.
 *
 * Outside of loops the register's cell in memory is always right; a local may hold a copy, `cached`,
 * so that it is read only once. In a loop all registers that occur in it are in locals only: they are
 * loaded before it (what is not cached), and those it writes are stored on every way out of it.
 * The f registers are treated alike, except that outside of loops copies last for a block only.
 *
 * Ways out in the middle of a block go through `rare`, which computes the pc from a constant, gives
 * back what the block has taken from the budget in advance, and goes on to `out`.
 */
export class UnitCode {
  readonly code = new Code(UNIT_TYPE.params);
  readonly hartBase: number;
  /** Whether the engine's multiply-add rounds once. */
  readonly fused: boolean;
  /** Scratch locals of one instruction. */
  readonly va: Local = this.code.local(I64);
  readonly tlb: Local = this.code.local(I32);
  readonly wide: Local = this.code.local(I64);
  readonly status: Local = this.code.local(I32);
  readonly double: Local = this.code.local(F64);
  readonly single: Local = this.code.local(F32);
  /** Whether floating point is on and dirty: once it is, nothing in a unit changes that. */
  readonly #floatOn: Local = this.code.local(I32);
  /**
   * DOUBLE_LIMIT and SINGLE_LIMIT if native arithmetic may stand for the guest's, else 0: floating point is on and
   * dirty, frm says nearest even, and the inexact flag is raised already. Nothing in a unit changes that either.
   */
  readonly doubleLimit: Local = this.code.local(I64);
  readonly singleLimit: Local = this.code.local(I32);
  /** The pc to return. */
  readonly #next: Local = this.code.local(I64);
  /** For `rare`: page offset | INTERPRET, and above UNDONE_SHIFT the instructions to give back. */
  readonly #exit: Local = this.code.local(I32);
  readonly #x: (Local | undefined)[] = [];
  readonly #f: (Local | undefined)[] = [];
  /** Memory addresses of access groups; each block uses them anew. */
  readonly #hostPool: Local[] = [];
  #hosts = new Map<AccessGroup, Local>();
  /** By register and direction. */
  readonly #lastPages = new Map<number, LastPage>();
  /** Values to be rotated; each block uses the locals anew. */
  readonly #rotatedPool: Local[] = [];
  #rotations: ReadonlyMap<Insn, Rotation> = new Map();
  /** By the earlier shift of each rotation. */
  #rotated = new Map<Insn, Local>();
  /** Registers through which the current block's accesses stay in one page for long. */
  #steady: Registers = 0;
  /** The accesses of the current block. */
  accesses: ReadonlyMap<Insn, Access> = new Map();
  #out: Label = 0;
  #rare: Label = 0;
  /** Registers the current loop writes; undefined outside of loops. */
  #loopWrites: RegisterSets | undefined;
  /** Integer registers whose locals are right. */
  cached: Registers = 0;
  #cachedF: Registers = 0;
  /** The current block has made sure that floating point is on. */
  #floatChecked = false;
  /** Instructions of the current block that are not done yet, the current one included. */
  undone = 0;

  constructor(hartBase: number, fused: boolean) {
    this.hartBase = hartBase;
    this.fused = fused;
  }

  /** Begins a block; `steady` registers stay in one page for long (steady.ts). */
  beginBlock(insns: readonly Insn[], steady: Registers): void {
    this.#steady = steady;
    this.accesses = groupAccesses(insns);
    this.#hosts = new Map();
    this.#rotations = findRotations(insns);
    this.#rotated = new Map();
    for (const { first } of this.#rotations.values())
      if (!this.#rotated.has(first))
        this.#rotated.set(first, (this.#rotatedPool[this.#rotated.size] ??= this.code.local(I64)));
    this.#floatChecked = false;
    if (this.#loopWrites === undefined) this.#cachedF = 0;
  }

  /** The local that keeps the address in memory of a group's lowest byte. */
  hostLocal(group: AccessGroup): Local {
    let local = this.#hosts.get(group);
    if (local === undefined) {
      local = this.#hostPool[this.#hosts.size] ??= this.code.local(I32);
      this.#hosts.set(group, local);
    }
    return local;
  }

  /** If `insn` is the earlier shift of a rotation, keeps the value that it shifts. */
  keepRotated(insn: Insn): void {
    const local = this.#rotated.get(insn);
    if (local !== undefined) this.x(insn.rs1).set(local);
  }

  /** If `insn` completes a rotation, pushes its result. */
  pushRotation(insn: Insn): boolean {
    const rotation = this.#rotations.get(insn);
    if (rotation === undefined) return false;
    const { code } = this;
    code.get(this.#rotated.get(rotation.first)!);
    if (rotation.bits === 64) code.i64(rotation.amount).op(i64.rotr);
    else code.op(i32.wrapI64).i32(rotation.amount).op(i32.rotr, i64.extendI32S);
    return true;
  }

  /** What is known of the page that an access through a register will probably be in, if it is in a loop. */
  lastPage(register: number, write: boolean): LastPage | undefined {
    return (this.#steady >>> register) & 1 ? this.#lastPages.get(pageKey(register, write)) : undefined;
  }

  /** Before a loop: forgets the pages of what is accessed in it. */
  forgetPages(reads: Registers, writes: Registers): void {
    const forget = (write: boolean) => (register: number) => {
      const key = pageKey(register, write);
      let last = this.#lastPages.get(key);
      if (last === undefined) {
        last = { page: this.code.local(I64), addend: this.code.local(I32) };
        this.#lastPages.set(key, last);
      }
      this.code.i64(NO_PAGE).set(last.page);
    };
    this.#each(reads, forget(false));
    this.#each(writes, forget(true));
  }

  // ── Registers ──

  #local(register: number): Local {
    return (this.#x[register] ??= this.code.local(I64));
  }

  /** Pushes x`register`. */
  x(register: number): Code {
    if (register === 0) return this.code.i64(0);
    const local = this.#local(register);
    if ((this.cached >>> register) & 1) return this.code.get(local);
    this.cached |= 1 << register;
    return this.loadCell(i64.load, HART_X + 8 * register).tee(local);
  }

  /** Makes sure that x`register` can be pushed inside a branch of the code. */
  cacheX(register: number): void {
    if (register !== 0 && ((this.cached >>> register) & 1) === 0) this.x(register).op(control.drop);
  }

  /** Pops into x`register`. */
  setX(register: number): void {
    if (register === 0) {
      this.code.op(control.drop);
      return;
    }
    this.code.set(this.#local(register));
    this.cached |= 1 << register;
    if (this.#loopWrites === undefined) this.#storeX(register);
  }

  #storeX(register: number): void {
    this.code
      .i32(0)
      .get(this.#local(register))
      .mem(i64.store, this.hartBase + HART_X + 8 * register);
  }

  #each(registers: Registers, action: (register: number) => void): void {
    for (let register = 0; register < 32; register++)
      if (((registers >>> register) & 1) !== 0) action(register);
  }

  /** Makes the cell of x`register` right, for a helper that works on cells. */
  spillX(register: number): void {
    if (register !== 0 && this.#loopWrites !== undefined) this.#storeX(register);
  }

  /** A helper has written the cell of x`register`. */
  reloadX(register: number): void {
    if (register === 0) return;
    if (this.#loopWrites === undefined) this.cached &= ~(1 << register);
    else this.loadCell(i64.load, HART_X + 8 * register).set(this.#local(register));
  }

  // ── Floating-point registers: an f64 each, whatever is in it ──

  #localF(register: number): Local {
    return (this.#f[register] ??= this.code.local(F64));
  }

  /** Pushes f`register`, its bits as an f64. */
  f(register: number): Code {
    const local = this.#localF(register);
    if ((this.#cachedF >>> register) & 1) return this.code.get(local);
    this.#cachedF |= 1 << register;
    return this.loadCell(f64.load, HART_F + 8 * register).tee(local);
  }

  /** Makes sure that the f registers can be pushed inside a branch of the code. */
  cacheF(registers: Registers): void {
    this.#each(registers & ~this.#cachedF, (register) => this.f(register).op(control.drop));
  }

  /** Pops an f64 into f`register`. */
  setF(register: number): void {
    this.code.set(this.#localF(register));
    this.#cachedF |= 1 << register;
    if (this.#loopWrites === undefined) this.#storeF(register);
  }

  #storeF(register: number): void {
    this.code
      .i32(0)
      .get(this.#localF(register))
      .mem(f64.store, this.hartBase + HART_F + 8 * register);
  }

  /** Makes the cells of f registers right, for a helper that works on cells. */
  spillF(registers: Registers): void {
    this.#each(registers & (this.#loopWrites?.f ?? 0), (register) => this.#storeF(register));
  }

  /** Leaves at `insn` unless floating point is on and marked dirty; the interpreter sees to either. */
  checkFloat(insn: Insn): void {
    if (this.#floatChecked) return;
    this.#floatChecked = true;
    this.prepareRare(insn);
    this.code.get(this.#floatOn).op(i32.eqz);
    this.leaveRarelyIf();
  }

  #readFloatState(): void {
    const { code } = this;
    this.loadCell(i32.load, HART_MSTATUS).i32(MSTATUS_FS).op(i32.and).i32(MSTATUS_FS).op(i32.eq);
    code.set(this.#floatOn);
    code.i64(DOUBLE_LIMIT).i64(0);
    // fflags and frm are two u32 side by side.
    this.loadCell(i64.load, HART_FFLAGS).i64(-0xffff_ffff).op(i64.and).i64(1).op(i64.eq);
    code.get(this.#floatOn).op(i32.and, control.select).set(this.doubleLimit);
    code.i32(SINGLE_LIMIT).i32(0).get(this.doubleLimit).i64(0).op(i64.ne, control.select);
    code.set(this.singleLimit);
  }

  /** Pushes a cell of the hart's area. */
  loadCell(opcode: number, offset: number): Code {
    return this.code.i32(0).mem(opcode, this.hartBase + offset);
  }

  // ── Beginning and end ──

  /** @param float whether there are floating-point instructions in the unit */
  enter(float: boolean): void {
    if (float) this.#readFloatState();
    this.#out = this.code.block();
    this.#rare = this.code.block();
  }

  leave(): void {
    const { code } = this;
    this.#endRare();
    code.end();
    code
      .i32(0)
      .get(PARAM.left)
      .mem(i32.store, this.hartBase + HART_JIT_LEFT);
    code.get(this.#next);
  }

  /** The end of the code that leaves by `rare`, and what it does. */
  #endRare(): void {
    const { code } = this;
    code.unreachable().end();
    code.get(PARAM.left).get(this.#exit).i32(UNDONE_SHIFT).op(i32.shrU, i32.add).set(PARAM.left);
    code.get(PARAM.page).get(this.#exit).i32(0xffff).op(i32.and, i64.extendI32U, i64.add).set(this.#next);
  }

  /** Emits a loop in which registers are in locals. */
  loop(used: RegisterSets, written: RegisterSets, body: () => void): void {
    const { code } = this;
    this.#each(used.x & ~this.cached, (register) => this.x(register).op(control.drop));
    this.#cachedF = 0;
    this.cacheF(used.f);
    const out = this.#out;
    const rare = this.#rare;
    this.#loopWrites = written;
    this.#out = code.block();
    this.#rare = code.block();
    body();
    this.#endRare();
    code.end();
    this.storeLoopWrites();
    this.#loopWrites = undefined;
    this.#cachedF = 0;
    this.#out = out;
    this.#rare = rare;
    code.br(out);
  }

  /** On a way out of the current loop to another place in the unit. */
  storeLoopWrites(): void {
    this.#each(this.#loopWrites?.x ?? 0, (register) => this.#storeX(register));
    this.#each(this.#loopWrites?.f ?? 0, (register) => this.#storeF(register));
  }

  // ── Ways out ──

  /** Leaves for a pc on the stack. */
  leaveTo(): void {
    this.code.set(this.#next).br(this.#out);
  }

  /** Leaves for `offset` relative to the page. */
  leaveToOffset(offset: number): void {
    this.code.get(PARAM.page).i64(offset).op(i64.add);
    this.leaveTo();
  }

  /** Leaves with the instruction at `offset` to be interpreted. */
  interpretAt(offset: number): void {
    this.leaveToOffset(offset | INTERPRET);
  }

  /** Makes ready for leaving at `insn` by one of the following. */
  prepareRare(insn: Insn): void {
    this.code.i32((this.undone << UNDONE_SHIFT) | insn.offset | INTERPRET).set(this.#exit);
  }

  /** Pops a condition; if it is not 0, leaves at the instruction prepared for. */
  leaveRarelyIf(): void {
    this.code.brIf(this.#rare, 'unlikely');
  }

  /**
   * Pops a helper's status; if it is not 0, leaves at the instruction prepared for, plus the rest of
   * the status (see resumeAfter).
   */
  leaveRarelyByStatus(): void {
    const { code } = this;
    code.tee(this.status).if(undefined, 'unlikely');
    code.get(this.#exit).get(this.status).i32(-2).op(i32.and, i32.add).set(this.#exit);
    code.br(this.#rare).end();
  }

  /** The rest of a status that moves the way out behind `insn`, which is done. */
  resumeAfter(insn: Insn): number {
    return insn.size - (1 << UNDONE_SHIFT);
  }
}
