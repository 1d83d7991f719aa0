/** What the engine makes of WebAssembly's relaxed multiply-add. */
import type { SharedMemory } from '../../../base/shared-memory.ts';
import { Code } from './code.ts';
import { assembleModule, type FunctionType } from './module.ts';
import { F32, F64, f64, simd } from './opcodes.ts';

const TYPE: FunctionType = { params: [F64, F64, F32, F32], results: [F64] };

/** a × a + c of two doubles and of two singles, added up. */
function probe(): Code {
  const code = new Code(TYPE.params);
  const [a, c, a32, c32] = [0, 1, 2, 3];
  for (const operand of [a, a, c]) code.get(operand).simd(simd.splatF64);
  code.simd(simd.relaxedMaddF64).simd(simd.extractLaneF64, 0);
  for (const operand of [a32, a32, c32]) code.get(operand).simd(simd.splatF32);
  code.simd(simd.relaxedMaddF32).simd(simd.extractLaneF32, 0).op(f64.promoteF32);
  return code.op(f64.add);
}

/**
 * Whether `relaxed_madd` exists here and rounds once, for singles and doubles. The specification lets an engine choose,
 * but not change its mind: it fuses where the processor has the instruction.
 *
 * @param memory any shared memory; it is not touched
 */
export function fusesMultiplyAdd(memory: SharedMemory['memory']): boolean {
  let run: (a: number, c: number, a32: number, c32: number) => number;
  try {
    const module = new WebAssembly.Module(assembleModule([], TYPE, [probe()]));
    const env: Record<string, unknown> = { memory };
    const { exports } = new WebAssembly.Instance(module, { env: env as Record<string, never> });
    run = exports['0'] as unknown as typeof run;
  } catch {
    return false;
  }
  // The squares' last bits are lost where the product is rounded by itself.
  const sum = run(1 + 2 ** -27, -(1 + 2 ** -26), 1 + 2 ** -12, -(1 + 2 ** -11));
  return sum === 2 ** -54 + 2 ** -24;
}
