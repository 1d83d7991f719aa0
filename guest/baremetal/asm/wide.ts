import { fail } from './error.ts';
import { encodeI, encodeS, encodeU } from './instructions.ts';

const OP_IMM = 0x13;
const OP_IMM_32 = 0x1b;
const AUIPC = 0x17;
const LUI = 0x37;

/** Splits a number into a sign-extended low part of 12 bits and the rest, so that `rest + low` is the number. */
function splitLow12(value: bigint): { readonly rest: bigint; readonly low: number } {
  const low = BigInt.asIntN(12, value);
  return { rest: value - low, low: Number(low) };
}

const fitsSigned = (value: bigint, bits: number): boolean => BigInt.asIntN(bits, value) === value;

/**
 * `li`: the instructions that build a 64-bit constant in `rd`. A constant wider than 32 bits is built
 * from its upper part without the trailing zeroes, shifted back up, and its low 12 bits.
 */
export function loadImmediate(rd: number, constant: bigint): number[] {
  const value = BigInt.asIntN(64, constant);
  if (value !== constant && BigInt.asUintN(64, constant) !== constant)
    fail(`${constant} does not fit 64 bits`);
  if (fitsSigned(value, 12)) return [encodeI(OP_IMM, rd, 0, 0, Number(value))];
  return loadUpper(rd, value);
}

function loadUpper(rd: number, value: bigint): number[] {
  const { rest, low } = splitLow12(value);
  if (fitsSigned(value, 32)) {
    if (rest === 0n) return [encodeI(OP_IMM_32, rd, 0, 0, low)];
    // LUI sign-extends at bit 31; ADDIW wraps back into range where rounding `rest` up crossed it.
    const words = [encodeU(LUI, rd, Number((rest >> 12n) & 0xfffffn))];
    if (low !== 0) words.push(encodeI(OP_IMM_32, rd, 0, rd, low));
    return words;
  }
  let shift = 12n;
  while (((rest >> shift) & 1n) === 0n) shift++;
  const words = loadUpper(rd, BigInt.asIntN(64, rest) >> shift);
  words.push(encodeI(OP_IMM, rd, 1, rd, Number(shift)));
  if (low !== 0) words.push(encodeI(OP_IMM, rd, 0, rd, low));
  return words;
}

function pcRelative(distance: bigint): { readonly high: number; readonly low: number } {
  if (!fitsSigned(distance + 0x800n, 32)) fail(`the symbol is ${distance} bytes away, ±2 GiB are possible`);
  const { rest, low } = splitLow12(distance);
  return { high: Number((rest >> 12n) & 0xfffffn), low };
}

/** `la`: the address of a symbol `distance` bytes from here. */
export function loadAddress(rd: number, distance: bigint): number[] {
  const { high, low } = pcRelative(distance);
  return [encodeU(AUIPC, rd, high), encodeI(OP_IMM, rd, 0, rd, low)];
}

/** `ld rd, symbol` and its kin: loads from a symbol, through `rd` itself. */
export function loadSymbol(funct3: number, rd: number, distance: bigint): number[] {
  const { high, low } = pcRelative(distance);
  return [encodeU(AUIPC, rd, high), encodeI(0x03, rd, funct3, rd, low)];
}

/** `sd rs, symbol, rt` and its kin: stores to a symbol, its address built in `rt`. */
export function storeSymbol(funct3: number, rs: number, rt: number, distance: bigint): number[] {
  const { high, low } = pcRelative(distance);
  return [encodeU(AUIPC, rt, high), encodeS(0x23, funct3, rt, rs, low)];
}
