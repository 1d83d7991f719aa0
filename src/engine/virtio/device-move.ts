import { assertUnreachable } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { TRACE } from '../trace/schema.ts';
import type { Tracer } from '../trace/tracer.ts';
import {
  IDLE_MOVE,
  type MoveAction,
  type MoveEvent,
  type MoveOutcome,
  type MoveState,
  type QueueMove,
  stepMove,
} from './drain.ts';

/**
 * What a move does with its hands: messages to the contexts concerned, or direct calls for those on this
 * thread. Each `done` is called once, in the main context, possibly from inside the call.
 */
export interface MoveHands {
  /** VirtQueueHandler.drainBegin in the context; `inFlight` is how many there were when asked. */
  drain(queue: number, context: number, done: (inFlight: number) => void): void;
  /** May the device move? The reason, or undefined for yes. */
  ask(party: string, done: (refusal: string | undefined) => void): void;
  /**
   * Detaches the queues, carries their parked requests over and moves what they work on (a disk is closed
   * here and opened there). On failure all of it is back where it was, except that the queues are detached.
   */
  handOver(moves: readonly QueueMove[], done: (failure: MoveFailure | undefined) => void): void;
  /** VirtQueueHandler.attach in the context. */
  attach(queue: number, context: number, done: () => void): void;
  /** VirtQueueHandler.drainEnd in the context. */
  resume(queue: number, context: number, done: () => void): void;
}

export interface MoveFailure {
  readonly party: string;
  readonly reason: string;
}

export interface MoveResult {
  readonly outcome: MoveOutcome;
  /** Requests in flight when the drain began, over all queues. */
  readonly inFlight: number;
  /** From the beginning of the drain until every queue was served again, ns. */
  readonly downtimeNs: number;
}

/** One move under way. Main context. Begin it under VirtioDevice.exclusive, so that no reset comes between. */
export class DeviceMove {
  #state: MoveState = IDLE_MOVE;
  #inFlight = 0;
  #startNs = 0;
  readonly #dev: number;
  readonly #hands: MoveHands;
  readonly #clock: Clock;
  readonly #tracer: Tracer;
  readonly #done: (result: MoveResult) => void;

  constructor(
    dev: number,
    hands: MoveHands,
    clock: Clock,
    tracer: Tracer,
    done: (result: MoveResult) => void,
  ) {
    this.#dev = dev;
    this.#hands = hands;
    this.#clock = clock;
    this.#tracer = tracer;
    this.#done = done;
  }

  get state(): MoveState {
    return this.#state;
  }

  /** @param parties who is asked, by name: the disk, the backend, the target context */
  begin(moves: readonly QueueMove[], parties: readonly string[]): void {
    this.#startNs = this.#clock.nowNs();
    this.#feed({ kind: 'begin', moves, parties });
  }

  /** Gives the move up, if it is not too late. */
  cancel(by: string, reason: string): void {
    this.#feed({ kind: 'cancel', by, reason });
  }

  #feed(event: MoveEvent): void {
    const before = this.#state;
    const { state, actions } = stepMove(before, event);
    this.#state = state;
    this.#trace(before, event);
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: MoveAction): void {
    const hands = this.#hands;
    switch (action.kind) {
      case 'drain':
        hands.drain(action.queue, action.context, (inFlight) => {
          this.#inFlight += inFlight;
          this.#feed({ kind: 'drained', queue: action.queue });
        });
        return;
      case 'ask':
        hands.ask(action.party, (reason) => {
          if (reason === undefined) this.#feed({ kind: 'agreed', party: action.party });
          else this.#feed({ kind: 'refused', party: action.party, reason });
        });
        return;
      case 'hand-over':
        hands.handOver(action.moves, (failure) => {
          if (failure === undefined) this.#feed({ kind: 'handed-over' });
          else this.#feed({ kind: 'hand-over-failed', ...failure });
        });
        return;
      case 'attach':
        hands.attach(action.queue, action.context, () =>
          this.#feed({ kind: 'serving', queue: action.queue }),
        );
        return;
      case 'resume':
        hands.resume(action.queue, action.context, () =>
          this.#feed({ kind: 'serving', queue: action.queue }),
        );
        return;
      case 'finish':
        this.#done({
          outcome: action.outcome,
          inFlight: this.#inFlight,
          downtimeNs: this.#clock.nowNs() - this.#startNs,
        });
        return;
      default:
        assertUnreachable(action);
    }
  }

  /** The steps the coordinator knows; those of a queue's own context are traced there (queue-handler.ts). */
  #trace(before: MoveState, event: MoveEvent): void {
    const state = this.#state;
    if (before.kind === state.kind || !('moves' in state)) return;
    for (const { queue, from, to } of state.moves) {
      if (before.kind === 'asking') {
        this.#tracer.emit(TRACE.drain_agree, this.#dev, queue, event.kind === 'agreed' ? 1 : 0);
      }
      if (state.kind === 'attaching') this.#tracer.emit(TRACE.drain_commit, this.#dev, queue, from, to);
      if (state.kind === 'resuming' || state.kind === 'taking-back') {
        this.#tracer.emit(TRACE.drain_abort, this.#dev, queue, from);
      }
      if (state.kind === 'over') {
        const context = state.outcome.kind === 'moved' ? to : from;
        const downtime = Math.min(this.#clock.nowNs() - this.#startNs, 0xffff_ffff);
        this.#tracer.emit(TRACE.drain_end, this.#dev, queue, context, downtime);
      }
    }
  }
}
