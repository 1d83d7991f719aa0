/** The function being emitted: its code, its locals, and the ways out of it. */
import { HART_JIT_LEFT, HART_X } from '../../layout.ts';
import { PARAM, UNIT_TYPE } from '../abi.ts';
import { Code, type Label, type Local } from '../asm/code.ts';
import { I32, I64, i32, i64 } from '../asm/opcodes.ts';
import type { Insn } from '../decode.ts';

/** Bits of `exit` above the page offset: how many instructions of the block were not executed. */
const UNDONE_SHIFT = 16;
/** Asks for the instruction at the returned pc to be interpreted. */
const INTERPRET = 1;

/**
 * Registers are in locals while a unit runs: all that occur are loaded when it is entered, and those
 * it writes are stored at its one way out. Ways out within a block go through `rare`, which computes
 * the pc from a constant, gives back what the block had taken from the budget in advance and goes on
 * to the way out.
 */
export class UnitCode {
  readonly code = new Code(UNIT_TYPE.params);
  /** Scratch locals of one instruction. */
  readonly va: Local = this.code.local(I64);
  readonly tlb: Local = this.code.local(I32);
  readonly wide: Local = this.code.local(I64);
  readonly status: Local = this.code.local(I32);
  /** The pc to return. */
  readonly #next: Local = this.code.local(I64);
  /** For `rare`: page offset | INTERPRET, and above UNDONE_SHIFT the instructions to give back. */
  readonly #exit: Local = this.code.local(I32);
  readonly #x: (Local | undefined)[] = [];
  /** Bit sets of registers. */
  readonly #used: number;
  readonly #written: number;
  readonly hartBase: number;
  #wayOut: Label = 0;
  #rare: Label = 0;
  /** Instructions of the current block that come after the current one, itself included. */
  undone = 0;

  constructor(hartBase: number, used: number, written: number) {
    this.hartBase = hartBase;
    this.#used = used;
    this.#written = written;
    this.#each(used, (register) => (this.#x[register] = this.code.local(I64)));
  }

  #each(registers: number, action: (register: number) => void): void {
    for (let register = 1; register < 32; register++)
      if (((registers >>> register) & 1) !== 0) action(register);
  }

  // ── Registers ──

  /** Pushes x`register`. */
  x(register: number): Code {
    if (register === 0) return this.code.i64(0);
    return this.code.get(this.#x[register]!);
  }

  /** Pops into x`register`. */
  setX(register: number): Code {
    if (register === 0) return this.code.op(0x1a);
    return this.code.set(this.#x[register]!);
  }

  /** Pushes a cell of the hart's area. */
  loadCell(opcode: number, offset: number): Code {
    return this.code.i32(0).mem(opcode, this.hartBase + offset);
  }

  /** Stores x`register` to its cell, for a helper that works on cells. */
  spillX(register: number): void {
    if (register === 0) return;
    this.code.i32(0);
    this.x(register).mem(i64.store, this.hartBase + HART_X + 8 * register);
  }

  /** Loads it back. */
  reloadX(register: number): void {
    if (register === 0) return;
    this.loadCell(i64.load, HART_X + 8 * register);
    this.setX(register);
  }

  // ── Beginning and end ──

  enter(): void {
    this.#each(this.#used, (register) => this.reloadX(register));
    this.#wayOut = this.code.block();
    this.#rare = this.code.block();
  }

  leave(): void {
    const { code } = this;
    code.unreachable().end();
    code.get(PARAM.left).get(this.#exit).i32(UNDONE_SHIFT).op(i32.shrU, i32.add).set(PARAM.left);
    code.get(PARAM.page).get(this.#exit).i32(0xffff).op(i32.and, i64.extendI32U, i64.add).set(this.#next);
    code.end();
    this.#each(this.#written, (register) => this.spillX(register));
    code
      .i32(0)
      .get(PARAM.left)
      .mem(i32.store, this.hartBase + HART_JIT_LEFT);
    code.get(this.#next);
  }

  // ── Ways out ──

  /** Leaves for a pc on the stack. */
  leaveTo(): void {
    this.code.set(this.#next).br(this.#wayOut);
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

  /** Makes ready for `leaveRarely*` at `insn`. */
  prepareRare(insn: Insn): void {
    this.code.i32((this.undone << UNDONE_SHIFT) | insn.offset | INTERPRET).set(this.#exit);
  }

  /** Pops a condition; if it is not 0, leaves at the instruction prepared for. */
  leaveRarelyIf(): void {
    this.code.brIf(this.#rare);
  }

  /**
   * Pops a status of a helper: not 0 means to leave, at the instruction prepared for plus the rest
   * of the status (see resumeAfter).
   */
  leaveRarelyByStatus(): void {
    const { code } = this;
    code.tee(this.status);
    code.if();
    code.get(this.#exit).get(this.status).i32(-2).op(i32.and, i32.add).set(this.#exit);
    code.br(this.#rare);
    code.end();
  }

  /** The status with which a helper moves the exit behind `insn`, which is done. */
  resumeAfter(insn: Insn): number {
    return insn.size - (1 << UNDONE_SHIFT);
  }
}
