import type { SharedMemory } from '../base/shared-memory.ts';
import { CONTEXT_STATE, ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import { HART_STATE, HartControlLayout } from './run-control.ts';
import type { MachineLayout } from './shared-layout.ts';

/**
 * Threads of the machine that want a core now: contexts that dispatch or poll, harts that execute or spin in WFI. The
 * caller's own is one of them. Any thread; what another does may change while this looks.
 */
export function awakeThreads(mem: SharedMemory, layout: MachineLayout): number {
  let awake = 0;
  for (let i = 0; i < MAX_CONTEXTS; i++) {
    const state = mem.load32((layout.contexts[i] as number) + ContextBlockLayout.at.state);
    if (state === CONTEXT_STATE.dispatching || state === CONTEXT_STATE.polling) awake++;
  }
  for (const control of layout.hartControls) {
    const { at } = HartControlLayout;
    const state = mem.load32(control + at.state);
    if (state === HART_STATE.running || mem.load32(control + at.polling) !== 0) awake++;
  }
  return awake;
}
