/**
 * The hart's state as the interpreter's functions see it: cells of the hart area, and what the run
 * loop keeps in its own locals, published in globals while other functions work.
 *
 * Globals belong to the instance, so every hart has its own although all share one memory.
 */
import { HART_EXECUTED, HART_F, HART_INSTRET_DELTA, HART_MSTATUS, HART_PRIV, HART_X } from '../../layout';

/** Address of the hart's area. */
export let hart: usize = 0;
/** Address of guest RAM in the memory, its physical base and its size in bytes. */
export let ramOffset: usize = 0;
export let ramBase: u64 = 0;
export let ramBytes: u64 = 0;
/** ECALL from S mode leaves the run loop. */
export let builtInSbi: bool = false;

export function initState(base: usize, offset: usize, physical: u64, bytes: u64): void {
  hart = base;
  ramOffset = offset;
  ramBase = physical;
  ramBytes = bytes;
}

export function setBuiltInSbi(on: bool): void {
  builtInSbi = on;
}

/** The run loop's instruction count: executed = HART_EXECUTED + (chunk − left), published on demand. */
export let chunk: u32 = 0;
export let left: u32 = 0;

@inline
export function setChunk(size: u32): void {
  chunk = size;
  left = size;
}

@inline
export function setLeft(n: u32): void {
  left = n;
}

/** Instructions executed so far, the current one included. */
@inline
export function executedNow(): u64 {
  return load<u64>(hart, HART_EXECUTED) + <u64>(chunk - left);
}

/** A trapping instruction does not retire. */
@inline
export function unretire(): void {
  store<u64>(hart, load<u64>(hart, HART_INSTRET_DELTA) - 1, HART_INSTRET_DELTA);
}

// ── Registers ───────────────────────────────────────────────────────────────────────────────────

@inline
export function getX(index: u32): u64 {
  return load<u64>(hart + ((<usize>index) << 3), HART_X);
}

@inline
export function setX(index: u32, value: u64): void {
  if (index != 0) store<u64>(hart + ((<usize>index) << 3), value, HART_X);
}

@inline
export function getF(index: u32): u64 {
  return load<u64>(hart + ((<usize>index) << 3), HART_F);
}

@inline
export function setF(index: u32, value: u64): void {
  store<u64>(hart + ((<usize>index) << 3), value, HART_F);
}

@inline
export function privilege(): u32 {
  return load<u32>(hart, HART_PRIV);
}

@inline
export function mstatus(): u64 {
  return load<u64>(hart, HART_MSTATUS);
}

@inline
export function setMstatus(value: u64): void {
  store<u64>(hart, value, HART_MSTATUS);
}

/** A CSR's cell. */
@inline
export function cell(offset: usize): u64 {
  return load<u64>(hart + offset);
}

@inline
export function setCell(offset: usize, value: u64): void {
  store<u64>(hart + offset, value);
}

@inline
export function count(offset: usize): void {
  store<u64>(hart + offset, load<u64>(hart + offset) + 1);
}

// ── Fields of an instruction ────────────────────────────────────────────────────────────────────

@inline
export function fieldRd(insn: u32): u32 {
  return (insn >> 7) & 31;
}

@inline
export function fieldRs1(insn: u32): u32 {
  return (insn >> 15) & 31;
}

@inline
export function fieldRs2(insn: u32): u32 {
  return (insn >> 20) & 31;
}

@inline
export function fieldFunct3(insn: u32): u32 {
  return (insn >> 12) & 7;
}

@inline
export function fieldFunct7(insn: u32): u32 {
  return insn >> 25;
}

@inline
export function immI(insn: u32): i32 {
  return <i32>insn >> 20;
}
