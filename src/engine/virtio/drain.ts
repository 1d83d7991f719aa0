import { assert, assertUnreachable } from '../base/assert.ts';

/**
 * Moving a device's queues between contexts while the guest runs, as a pure state machine: what is known in,
 * what is to be done out. The rules V1–V8 are in SPEC.md; `DeviceMove` carries the actions out.
 *
 *     idle ─begin─▶ draining ─all drained─▶ asking ─all agree─▶ handing-over ─▶ attaching ─▶ over: moved
 *                      │                      │ refused              │ failed
 *                      └──cancel──▶ resuming ◀┘                      └▶ taking-back ─▶ over: refused
 *                                      └─────────────▶ over: refused
 */

/** One queue's way. Contexts are indexes in the context table. */
export interface QueueMove {
  readonly queue: number;
  readonly from: number;
  readonly to: number;
}

export type MoveOutcome =
  | { readonly kind: 'moved' }
  /** Nothing has changed; `by` is the party that refused, or who cancelled. */
  | { readonly kind: 'refused'; readonly by: string; readonly reason: string };

export type MoveState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'draining';
      readonly moves: readonly QueueMove[];
      readonly parties: readonly string[];
      /** Queues that still have requests in flight. */
      readonly waiting: ReadonlySet<number>;
    }
  | { readonly kind: 'asking'; readonly moves: readonly QueueMove[]; readonly waiting: ReadonlySet<string> }
  | { readonly kind: 'handing-over'; readonly moves: readonly QueueMove[] }
  | {
      readonly kind: 'attaching';
      readonly moves: readonly QueueMove[];
      readonly waiting: ReadonlySet<number>;
    }
  | {
      readonly kind: 'resuming';
      readonly moves: readonly QueueMove[];
      /** Queues not drained yet: each is resumed as soon as it is. */
      readonly draining: ReadonlySet<number>;
      readonly waiting: ReadonlySet<number>;
      readonly outcome: MoveOutcome;
    }
  | {
      readonly kind: 'taking-back';
      readonly moves: readonly QueueMove[];
      readonly waiting: ReadonlySet<number>;
      readonly outcome: MoveOutcome;
    }
  | { readonly kind: 'over'; readonly moves: readonly QueueMove[]; readonly outcome: MoveOutcome };

export type MoveEvent =
  | { readonly kind: 'begin'; readonly moves: readonly QueueMove[]; readonly parties: readonly string[] }
  /** The queue has let go of its notifier and has nothing in flight. */
  | { readonly kind: 'drained'; readonly queue: number }
  | { readonly kind: 'agreed'; readonly party: string }
  | { readonly kind: 'refused'; readonly party: string; readonly reason: string }
  /** Rings, parked requests and disks are where they are to be; or are back where they were. */
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'hand-over-failed'; readonly party: string; readonly reason: string }
  /** The queue is served (again), and has kicked itself. */
  | { readonly kind: 'serving'; readonly queue: number }
  /** Somebody changed their mind; too late once the hand-over has begun, and then ignored. */
  | { readonly kind: 'cancel'; readonly by: string; readonly reason: string };

export type MoveAction =
  /** Begin a drain in the queue's context. Answer: `drained`. */
  | { readonly kind: 'drain'; readonly queue: number; readonly context: number }
  /** May it move? Answer: `agreed` or `refused`. */
  | { readonly kind: 'ask'; readonly party: string }
  /** Detach the queues and carry everything over. Answer: `handed-over` or `hand-over-failed`. */
  | { readonly kind: 'hand-over'; readonly moves: readonly QueueMove[] }
  /** Begin to serve a detached queue in a context, with a kick of our own. Answer: `serving`. */
  | { readonly kind: 'attach'; readonly queue: number; readonly context: number }
  /** End a drain where the queue is. Answer: `serving`. */
  | { readonly kind: 'resume'; readonly queue: number; readonly context: number }
  | { readonly kind: 'finish'; readonly outcome: MoveOutcome };

export interface MoveStep {
  readonly state: MoveState;
  readonly actions: readonly MoveAction[];
}

export const IDLE_MOVE: MoveState = { kind: 'idle' };

/** The next state and what to do. An event that does not fit the state is our own bug and throws. */
export function stepMove(state: MoveState, event: MoveEvent): MoveStep {
  switch (event.kind) {
    case 'begin':
      assert(state.kind === 'idle' && event.moves.length > 0, 'move: begun twice, or of nothing');
      return {
        state: {
          kind: 'draining',
          moves: event.moves,
          parties: event.parties,
          waiting: queuesOf(event.moves),
        },
        actions: event.moves.map(({ queue, from }) => ({ kind: 'drain', queue, context: from })),
      };
    case 'drained':
      return drained(state, event.queue);
    case 'agreed': {
      // An answer that comes after another party's refusal changes nothing.
      if (state.kind === 'resuming' || state.kind === 'over') return { state, actions: [] };
      assert(state.kind === 'asking', `move: agreed while ${state.kind}`);
      const waiting = without(state.waiting, event.party);
      if (waiting.size > 0) return { state: { ...state, waiting }, actions: [] };
      return handOver(state.moves);
    }
    case 'refused':
      if (state.kind === 'resuming' || state.kind === 'over') return { state, actions: [] };
      assert(state.kind === 'asking', `move: refused while ${state.kind}`);
      return giveUp(state.moves, new Set(), { kind: 'refused', by: event.party, reason: event.reason });
    case 'handed-over':
      assert(state.kind === 'handing-over', `move: handed over while ${state.kind}`);
      return {
        state: { kind: 'attaching', moves: state.moves, waiting: queuesOf(state.moves) },
        actions: state.moves.map(({ queue, to }) => ({ kind: 'attach', queue, context: to })),
      };
    case 'hand-over-failed':
      assert(state.kind === 'handing-over', `move: hand-over failed while ${state.kind}`);
      return {
        state: {
          kind: 'taking-back',
          moves: state.moves,
          waiting: queuesOf(state.moves),
          outcome: { kind: 'refused', by: event.party, reason: event.reason },
        },
        actions: state.moves.map(({ queue, from }) => ({ kind: 'attach', queue, context: from })),
      };
    case 'serving':
      return serving(state, event.queue);
    case 'cancel': {
      const outcome: MoveOutcome = { kind: 'refused', by: event.by, reason: event.reason };
      if (state.kind === 'draining') return giveUp(state.moves, state.waiting, outcome);
      if (state.kind === 'asking') return giveUp(state.moves, new Set(), outcome);
      return { state, actions: [] };
    }
    default:
      return assertUnreachable(event);
  }
}

function drained(state: MoveState, queue: number): MoveStep {
  if (state.kind === 'resuming') {
    assert(state.draining.has(queue), 'move: drained twice');
    const move = state.moves.find((entry) => entry.queue === queue) as QueueMove;
    return {
      state: { ...state, draining: without(state.draining, queue) },
      actions: [{ kind: 'resume', queue, context: move.from }],
    };
  }
  assert(state.kind === 'draining' && state.waiting.has(queue), `move: drained while ${state.kind}`);
  const waiting = without(state.waiting, queue);
  if (waiting.size > 0) return { state: { ...state, waiting }, actions: [] };
  if (state.parties.length === 0) return handOver(state.moves);
  return {
    state: { kind: 'asking', moves: state.moves, waiting: new Set(state.parties) },
    actions: state.parties.map((party) => ({ kind: 'ask', party })),
  };
}

function serving(state: MoveState, queue: number): MoveStep {
  assert(
    state.kind === 'attaching' || state.kind === 'resuming' || state.kind === 'taking-back',
    `move: serving while ${state.kind}`,
  );
  assert(state.waiting.has(queue), 'move: serving twice');
  const waiting = without(state.waiting, queue);
  if (waiting.size > 0) return { state: { ...state, waiting }, actions: [] };
  const outcome: MoveOutcome = state.kind === 'attaching' ? { kind: 'moved' } : state.outcome;
  return { state: { kind: 'over', moves: state.moves, outcome }, actions: [{ kind: 'finish', outcome }] };
}

const handOver = (moves: readonly QueueMove[]): MoveStep => ({
  state: { kind: 'handing-over', moves },
  actions: [{ kind: 'hand-over', moves }],
});

/** Puts everything back: at once what is drained, the rest as it becomes so. */
function giveUp(moves: readonly QueueMove[], draining: ReadonlySet<number>, outcome: MoveOutcome): MoveStep {
  return {
    state: { kind: 'resuming', moves, draining, waiting: queuesOf(moves), outcome },
    actions: moves
      .filter(({ queue }) => !draining.has(queue))
      .map(({ queue, from }) => ({ kind: 'resume', queue, context: from })),
  };
}

const queuesOf = (moves: readonly QueueMove[]): ReadonlySet<number> =>
  new Set(moves.map(({ queue }) => queue));

function without<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const rest = new Set(set);
  rest.delete(item);
  return rest;
}
