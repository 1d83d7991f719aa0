import { assert } from '../../base/assert.ts';
import type { VirtioBlkDataPlane } from '../blk/data-plane.ts';
import type { ParkedBlkRequest } from '../blk/parked.ts';
import { DeviceMove, type MoveFailure, type MoveHands, type MoveResult } from '../device-move.ts';
import { VirtQueueLayout, virtQueueAddr } from '../layout.ts';
import { BlkMachine } from './blk-machine.ts';

/** A BlkMachine whose queues can be moved between its loops, as the machine does it between workers. */
export class MovableMachine extends BlkMachine {
  /** What the disk answers when asked, and when it is handed over. */
  refusal: string | undefined;
  failure: MoveFailure | undefined;
  readonly #parked = new Map<number, ParkedBlkRequest[]>();

  /** Index of the loop that serves a queue. */
  contextOf(queue: number): number {
    return this.mem.load32(virtQueueAddr(this.env.slotAddr, queue) + VirtQueueLayout.at.context);
  }

  /** Begins to move queues to another loop; the result comes when requests in flight allow it. */
  move(to: number, queues: readonly number[] = [0]): { result: MoveResult | undefined; move: DeviceMove } {
    let over = (): void => {};
    const outcome: { result: MoveResult | undefined; move: DeviceMove } = {
      result: undefined,
      move: new DeviceMove(this.env.dev, this.#hands(), this.clock, this.tracer, (result) => {
        outcome.result = result;
        over();
      }),
    };
    this.device.exclusive((release) => {
      over = release;
      const moves = queues.map((queue) => ({ queue, from: this.contextOf(queue), to }));
      outcome.move.begin(moves, ['disk']);
    });
    return outcome;
  }

  #hands(): MoveHands {
    return {
      drain: (queue, _context, done) => {
        const { inFlight } = this.dataPlane(queue);
        this.dataPlane(queue).drainBegin(() => done(inFlight));
      },
      ask: (_party, done) => done(this.refusal),
      handOver: (moves, done) => {
        for (const { queue } of moves) {
          this.#parked.set(queue, this.dataPlane(queue).takeParked());
          this.dataPlane(queue).detach();
        }
        done(this.failure);
      },
      attach: (queue, context, done) => {
        this.#attach(queue, context);
        done();
      },
      resume: (queue, _context, done) => {
        this.dataPlane(queue).drainEnd();
        done();
      },
    };
  }

  #attach(queue: number, context: number): void {
    const loop = this.loops[context];
    assert(loop !== undefined, `test machine: no loop ${context}`);
    this.mem.store32(virtQueueAddr(this.env.slotAddr, queue) + VirtQueueLayout.at.context, context);
    // A new object, as in another worker: all it knows is in shared memory and in what was handed over.
    const plane: VirtioBlkDataPlane = this.makeDataPlane(queue);
    this.handlers[queue] = plane;
    plane.attach(loop);
    plane.adoptParked(this.#parked.get(queue) ?? []);
  }
}
