import type { BoardSnapshot, ContextSnapshot } from '../../../engine/vm.ts';
import { duration } from '../../model/format.ts';
import { waitingInWords } from '../../model/holds.ts';

/** The state of a loop as a phrase: "blocked in poll, next timer 4.20 ms". */
export function stateInWords(context: ContextSnapshot, board: BoardSnapshot): string {
  // A held loop that answers messages or makes a step is held all the while.
  if (context.heldNs !== undefined)
    return `held for ${duration(context.heldNs)}, ${waitingInWords(board, context)}`;
  switch (context.state) {
    case 'starting':
      return 'starting';
    case 'dispatching':
      return 'dispatching';
    case 'polling':
      return 'busy-polling';
    case 'yielded':
      return 'yielded to the browser';
    case 'held':
      return 'held';
    case 'gone':
      return 'gone';
    case 'blocked': {
      if (context.nextTimerNs === undefined) return 'blocked in poll, no timer';
      const left = Math.max(0, context.nextTimerNs - board.timeNs);
      return `blocked in poll, next timer ${duration(left)}`;
    }
  }
}
