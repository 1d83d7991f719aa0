/** What translated code and the interpreter module agree on; the other side is interp/assembly/jit.ts. */
import type { FunctionImport, FunctionType } from './asm/module.ts';
import { F32, F64, I32, I64 } from './asm/opcodes.ts';

/** unit(entry, page, left, dataTlb, dataContext) → next pc, bit 0: interpret the instruction there. */
export const UNIT_TYPE: FunctionType = { params: [I32, I64, I32, I32, I64], results: [I64] };

/** Parameters of a unit, by local index. */
export const PARAM = {
  /** Which entry; later, which entry an indirect jump within the unit leads to. */
  entry: 0,
  /** Virtual address of the page. */
  page: 1,
  /** Instructions left of the budget. */
  left: 2,
  /** Address of the data TLB's read table. */
  dataTlb: 3,
  /** Context number in its tags. */
  dataContext: 4,
} as const;

/** Imported functions, by index. Those that return an i32 return 0 when the instruction is done. */
export const HELPER = {
  enterReadable: 0,
  enterWritable: 1,
  atomic: 2,
  float: 3,
  mulHigh: 4,
  fusedDouble: 5,
  fusedSingle: 6,
  csr: 7,
} as const;

export const HELPER_IMPORTS: readonly FunctionImport[] = [
  { name: 'jitEnterReadable', type: { params: [I64, I32], results: [I32] } },
  { name: 'jitEnterWritable', type: { params: [I64, I32], results: [I32] } },
  { name: 'jitAtomic', type: { params: [I32, I32], results: [I32] } },
  { name: 'jitFloat', type: { params: [I32], results: [I32] } },
  { name: 'jitMulHigh', type: { params: [I64, I64, I32], results: [I64] } },
  // a × b + c rounded once; NaN if that has to be found out by `jitFloat`.
  { name: 'jitFusedDouble', type: { params: [F64, F64, F64], results: [F64] } },
  { name: 'jitFusedSingle', type: { params: [F32, F32, F32], results: [F32] } },
  { name: 'jitCsr', type: { params: [I32], results: [I32] } },
];

/** What the interpreter module exports for the translator, besides the helpers of HELPER_IMPORTS. */
export interface TranslatorExports {
  /** Where units are called from. */
  readonly table: WebAssembly.Table;
  /** Handler number of ops that are entries of translated code. */
  jitEntryHandler(): number;
  /** Makes the op at byte `offset` of a decoded page lead to `entry` of the unit in table slot `slot`. */
  jitEnterHere(page: number, offset: number, slot: number, entry: number): void;
  /** Makes all entries of a page ordinary ops again. */
  jitDrop(page: number): void;
  /** 32-bit form of a compressed instruction, 0 if it is reserved. */
  expandCompressed(halfword: number): number;
}
