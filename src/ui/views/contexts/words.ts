import type { ContextSnapshot } from '../../../engine/vm.ts';
import { duration } from '../../model/format.ts';

/** The state of a loop as a phrase: "blocked in poll, next timer 4.20 ms". */
export function stateInWords(context: ContextSnapshot, nowNs: number): string {
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
      return 'held: it serves nothing until released';
    case 'gone':
      return 'gone';
    case 'blocked': {
      if (context.nextTimerNs === undefined) return 'blocked in poll, no timer';
      const left = Math.max(0, context.nextTimerNs - nowNs);
      return `blocked in poll, next timer ${duration(left)}`;
    }
  }
}
