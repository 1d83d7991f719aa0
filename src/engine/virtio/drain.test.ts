import { describe, expect, it } from 'vitest';
import {
  IDLE_MOVE,
  type MoveAction,
  type MoveEvent,
  type MoveOutcome,
  type MoveState,
  type QueueMove,
  stepMove,
} from './drain.ts';

const MOVES: readonly QueueMove[] = [
  { queue: 0, from: 1, to: 2 },
  { queue: 1, from: 3, to: 2 },
];
const REFUSED: MoveOutcome = { kind: 'refused', by: 'disk', reason: 'in use' };

/** Feeds events from idle; returns the last state and all actions. */
function play(events: readonly MoveEvent[]): { state: MoveState; actions: MoveAction[] } {
  let state: MoveState = IDLE_MOVE;
  const actions: MoveAction[] = [];
  for (const event of events) {
    const step = stepMove(state, event);
    state = step.state;
    actions.push(...step.actions);
  }
  return { state, actions };
}

const begin = (parties: readonly string[] = ['disk']): MoveEvent => ({
  kind: 'begin',
  moves: MOVES,
  parties,
});
const drained = (queue: number): MoveEvent => ({ kind: 'drained', queue });
const serving = (queue: number): MoveEvent => ({ kind: 'serving', queue });

describe('a move that all agree to', () => {
  it('drains where the queues are, asks, hands over, attaches where they go', () => {
    const { state, actions } = play([
      begin(),
      drained(1),
      drained(0),
      { kind: 'agreed', party: 'disk' },
      { kind: 'handed-over' },
      serving(0),
      serving(1),
    ]);
    expect(actions).toEqual([
      { kind: 'drain', queue: 0, context: 1 },
      { kind: 'drain', queue: 1, context: 3 },
      { kind: 'ask', party: 'disk' },
      { kind: 'hand-over', moves: MOVES },
      { kind: 'attach', queue: 0, context: 2 },
      { kind: 'attach', queue: 1, context: 2 },
      { kind: 'finish', outcome: { kind: 'moved' } },
    ]);
    expect(state).toEqual({ kind: 'over', moves: MOVES, outcome: { kind: 'moved' } });
  });

  it('V3 asks nobody while a queue has requests in flight', () => {
    const { state, actions } = play([begin(), drained(0)]);
    expect(state.kind).toBe('draining');
    expect(actions.some((action) => action.kind === 'ask' || action.kind === 'hand-over')).toBe(false);
  });

  it('without parties the hand-over follows the drain', () => {
    expect(play([begin([]), drained(0), drained(1)]).actions.at(-1)).toEqual({
      kind: 'hand-over',
      moves: MOVES,
    });
  });
});

describe('a move that is refused', () => {
  it('V4 one refusal resumes every queue where it was', () => {
    const { actions, state } = play([
      begin(['backend', 'disk']),
      drained(0),
      drained(1),
      { kind: 'refused', party: 'disk', reason: 'in use' },
      { kind: 'agreed', party: 'backend' },
      serving(1),
      serving(0),
    ]);
    expect(actions.slice(4)).toEqual([
      { kind: 'resume', queue: 0, context: 1 },
      { kind: 'resume', queue: 1, context: 3 },
      { kind: 'finish', outcome: REFUSED },
    ]);
    expect(state.kind).toBe('over');
  });

  it('V4 cancelled while draining: what is drained resumes at once, the rest when it is', () => {
    const cancel: MoveEvent = { kind: 'cancel', by: 'disk', reason: 'in use' };
    const before = play([begin(), drained(1), cancel]);
    expect(before.actions.slice(2)).toEqual([{ kind: 'resume', queue: 1, context: 3 }]);
    const after = play([begin(), drained(1), cancel, serving(1), drained(0), serving(0)]);
    expect(after.actions.slice(2)).toEqual([
      { kind: 'resume', queue: 1, context: 3 },
      { kind: 'resume', queue: 0, context: 1 },
      { kind: 'finish', outcome: REFUSED },
    ]);
  });

  it('V5 a cancellation after the hand-over began is too late', () => {
    const events = [begin([]), drained(0), drained(1)];
    expect(play([...events, { kind: 'cancel', by: 'disk', reason: 'in use' }])).toEqual({
      ...play(events),
    });
  });

  it('V5 a failed hand-over attaches every queue in its old context', () => {
    const { actions } = play([
      begin([]),
      drained(0),
      drained(1),
      { kind: 'hand-over-failed', party: 'disk', reason: 'in use' },
      serving(0),
      serving(1),
    ]);
    expect(actions.slice(3)).toEqual([
      { kind: 'attach', queue: 0, context: 1 },
      { kind: 'attach', queue: 1, context: 3 },
      { kind: 'finish', outcome: REFUSED },
    ]);
  });
});

describe('an event that can’t be', () => {
  it.each([
    ['a second begin', [begin(), begin()]],
    ['drained twice', [begin(), drained(0), drained(0)]],
    ['serving out of the blue', [begin(), serving(0)]],
    ['handed over before the drain', [begin(), { kind: 'handed-over' }]],
    ['an empty move', [{ kind: 'begin', moves: [], parties: [] }]],
  ] as const)('%s is our bug', (_name, events) => {
    expect(() => play(events)).toThrow();
  });
});

it('whatever the order of answers, every queue ends up served exactly once', () => {
  let seed = 7;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let round = 0; round < 2000; round++) {
    const moves = Array.from({ length: 1 + random(4) }, (_, queue) => ({
      queue,
      from: random(3),
      to: random(3),
    }));
    const parties = Array.from({ length: random(3) }, (_, i) => `party ${i}`);
    let state: MoveState = IDLE_MOVE;
    const open: MoveAction[] = [];
    const placedIn = new Map<number, number>();
    let outcome: MoveOutcome | undefined;
    const feed = (event: MoveEvent): void => {
      const step = stepMove(state, event);
      state = step.state;
      open.push(...step.actions);
    };
    feed({ kind: 'begin', moves, parties });
    while (open.length > 0) {
      if (random(12) === 0) feed({ kind: 'cancel', by: 'user', reason: 'changed their mind' });
      const action = open.splice(random(open.length), 1)[0] as MoveAction;
      switch (action.kind) {
        case 'drain':
          feed({ kind: 'drained', queue: action.queue });
          break;
        case 'ask':
          feed(
            random(5) === 0
              ? { kind: 'refused', party: action.party, reason: 'no' }
              : { kind: 'agreed', party: action.party },
          );
          break;
        case 'hand-over':
          feed(
            random(4) === 0
              ? { kind: 'hand-over-failed', party: 'disk', reason: 'no' }
              : { kind: 'handed-over' },
          );
          break;
        case 'attach':
        case 'resume':
          expect(placedIn.has(action.queue)).toBe(false);
          placedIn.set(action.queue, action.context);
          feed({ kind: 'serving', queue: action.queue });
          break;
        case 'finish':
          outcome = action.outcome;
      }
    }
    expect(state.kind).toBe('over');
    for (const { queue, from, to } of moves) {
      expect(placedIn.get(queue)).toBe(outcome?.kind === 'moved' ? to : from);
    }
  }
});
