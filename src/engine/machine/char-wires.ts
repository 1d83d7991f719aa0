import { CharWire } from '../chardev/wire.ts';
import type { ContextCore } from './context-core.ts';
import { NOTIFIER } from './notifier-table.ts';

/** One thread's view of wire number `wire`. */
export function charWire(core: ContextCore, wire: number): CharWire {
  const end = (which: 0 | 1 | 2 | 3) => core.notifiers.get(NOTIFIER.charWire(wire, which));
  return new CharWire(core.mem, core.layout.charWires[wire] as number, {
    txReady: end(0),
    txSpace: end(1),
    rxReady: end(2),
    rxSpace: end(3),
  });
}
