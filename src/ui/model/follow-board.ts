import type { BoardSnapshot } from '../../engine/vm.ts';
import { withContext } from './argv.ts';
import { contextIn, deviceIn } from './live-board.ts';
import type { VmController } from './vm-controller.ts';

/**
 * Keeps the command line true: whatever way a device came to another context (drag, monitor, QMP), the text
 * shows where it is now. Only changes are written, so what the user typed stays as it is.
 */
export function followBoard(controller: VmController): () => void {
  const known = new Map<string, string>();
  return controller.board.subscribeShape(() => {
    const board = controller.board.shape();
    if (board === undefined) return known.clear();
    for (const device of board.devices) {
      const at = placement(board, device.qomPath);
      if (at === undefined) continue;
      const was = known.get(device.qomPath);
      known.set(device.qomPath, at);
      if (was !== undefined && was !== at)
        controller.applyLive((text) => withContext(text, device.id, at)?.text ?? text);
    }
  });
}

/** The one context that serves all queues of a device; undefined when they are apart, or on their way. */
function placement(board: BoardSnapshot, qomPath: string): string | undefined {
  const device = deviceIn(board, qomPath);
  const [first, ...rest] = device?.queues ?? [];
  if (device?.moving !== false || first === undefined) return undefined;
  if (rest.some((queue) => queue.context !== first.context)) return undefined;
  return contextIn(board, first.context)?.id;
}
