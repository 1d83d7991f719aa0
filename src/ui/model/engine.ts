import type { VmResult } from './engine-types.ts';

/** Makes a machine in this page. The engine is not part of the first paint: it is loaded when first needed. */
export async function makeVmInPage(argv: readonly string[]): Promise<VmResult> {
  const { createVmInPage } = await import('../../engine/workers/browser-supervisor.ts');
  return createVmInPage(argv);
}
