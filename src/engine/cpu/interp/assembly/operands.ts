/** What the run loop's cases are written in: operands of an op, results, TLB probes. */
import { HART_F, HART_FFLAGS, HART_MSTATUS, HART_X } from '../../layout';
import { MSTATUS_FS } from './cause';

@inline
export function rs1(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 2), HART_X);
}

@inline
export function rs2(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 3), HART_X);
}

/** The immediate, sign-extended. */
@inline
export function imm(op: usize): i64 {
  return <i64>load<i32>(op, 4);
}

/** The immediate as it is: bits of an instruction. */
@inline
export function bitsOf(op: usize): u32 {
  return load<u32>(op, 4);
}

/** Distance to a branch target within the page, in bytes of ops. */
@inline
export function distance(op: usize): usize {
  return <usize>load<i32>(op, 4);
}

@inline
export function writeRd(H: usize, op: usize, value: i64): void {
  store<i64>(H + load<u8>(op, 1), value, HART_X);
}

@inline
export function pcOf(bias: u64, op: usize): u64 {
  return bias + <u64>(op >> 2);
}

// ── Memory ──────────────────────────────────────────────────────────────────────────────────────

/** The page of an access's last byte: differs from every tag at its index if the access crosses. */
@inline
export function tagOf(va: i64, size: i64): u64 {
  return <u64>((va + (size - 1)) & -4096);
}

@inline
export function hostOfVa(entry: usize, va: i64): usize {
  return <usize>va + <usize>load<u32>(entry, 8);
}

// ── Floating point ──────────────────────────────────────────────────────────────────────────────

/** Raw bits of the second source, for stores and moves. */
@inline
export function fs2(H: usize, op: usize): i64 {
  return load<i64>(H + load<u8>(op, 3), HART_F);
}

@inline
export function writeFd(H: usize, op: usize, value: i64): void {
  store<i64>(H + load<u8>(op, 1), value, HART_F);
}

@inline
export function d1(H: usize, op: usize): f64 {
  return load<f64>(H + load<u8>(op, 2), HART_F);
}

@inline
export function d2(H: usize, op: usize): f64 {
  return load<f64>(H + load<u8>(op, 3), HART_F);
}

@inline
export function s1(H: usize, op: usize): f32 {
  return load<f32>(H + load<u8>(op, 2), HART_F);
}

@inline
export function s2(H: usize, op: usize): f32 {
  return load<f32>(H + load<u8>(op, 3), HART_F);
}

/** Whether the sources are NaN-boxed single-precision values. */
@inline
export function boxed1(H: usize, op: usize): bool {
  return load<i32>(H + load<u8>(op, 2), HART_F + 4) == -1;
}

@inline
export function boxed2(H: usize, op: usize): bool {
  return load<i32>(H + load<u8>(op, 3), HART_F + 4) == -1;
}

@inline
export function writeD(H: usize, op: usize, value: f64): void {
  store<f64>(H + load<u8>(op, 1), value, HART_F);
}

@inline
export function writeS(H: usize, op: usize, value: f32): void {
  const cell = H + load<u8>(op, 1);
  store<f32>(cell, value, HART_F);
  store<i32>(cell, -1, HART_F + 4);
}

/** Floating-point state is on and already marked dirty. */
@inline
export function floatDirty(H: usize): bool {
  return (load<u64>(H, HART_MSTATUS) & MSTATUS_FS) == MSTATUS_FS;
}

/**
 * What lets a native operation stand for the instruction, given a result in the safe range: state
 * dirty, rounding to nearest even, and the inexact flag raised already.
 */
@inline
export function floatReady(H: usize): bool {
  // fflags and frm are two u32 side by side.
  return floatDirty(H) && (load<u64>(H, HART_FFLAGS) & 0xffffffff00000001) == 1;
}

/** A sum of this size is neither overflow, nor infinite, nor a NaN. */
@inline
export function safeSumD(value: f64): bool {
  return abs(value) < 4.49423283715579e307;
}

@inline
export function safeSumS(value: f32): bool {
  return abs(value) < <f32>8.5e37;
}

/** Nor is a result between these bounds an underflow. */
@inline
export function safeD(value: f64): bool {
  return safeSumD(value) && abs(value) > 1e-307;
}

@inline
export function safeS(value: f32): bool {
  return safeSumS(value) && abs(value) > <f32>1e-37;
}
