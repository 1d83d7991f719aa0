import type { VmResult } from './engine-types.ts';

interface EngineModule {
  createVm(argv: readonly string[], host: unknown): Promise<VmResult>;
}

/** The engine is not part of the first paint: it is loaded when a machine is made. */
const engine = import.meta.glob<EngineModule>('../../engine/index.ts');

/** Makes a machine in this page. */
export async function makeVmInPage(argv: readonly string[]): Promise<VmResult> {
  const load = engine['../../engine/index.ts'];
  if (load === undefined)
    return { ok: false, error: { class: 'GenericError', desc: 'this build of the page has no engine' } };
  const module = await load();
  return module.createVm(argv, undefined);
}
