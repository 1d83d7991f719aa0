import { MiB } from '../base/brands.ts';
import { ok, type Result, userError } from '../base/result.ts';
import type { MachineLayout } from './shared-layout.ts';

const WASM_PAGE = 65536;
/** wasm32 memories end at 4 GiB; the machine's own parts take their share of it. */
const MAX_MEMORY = 4096 * MiB;

/**
 * Allocates the machine's one shared memory, whole.
 *
 * @param ramBytes what `-m` asked for, for the message when there is no room
 */
export function allocateMemory(layout: MachineLayout, ramBytes: number): Result<WebAssembly.Memory> {
  const hint = `Ask for less than -m ${Math.floor(ramBytes / MiB)}.`;
  if (layout.totalBytes > MAX_MEMORY) {
    return userError(`-m ${Math.floor(ramBytes / MiB)}: RAM and the machine's own parts must fit in 4 GiB`, {
      hint,
    });
  }
  const pages = layout.totalBytes / WASM_PAGE;
  try {
    return ok(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  } catch (error) {
    return userError(
      `cannot allocate ${Math.ceil(layout.totalBytes / MiB)} MiB of shared memory: ${String(error)}`,
      { hint },
    );
  }
}
