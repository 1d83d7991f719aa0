import type { DescriptorChain } from './queue/chain.ts';
import { VirtQueueHandler } from './queue-handler.ts';

/** Rounds of one run before the other sources of the context get their turn. */
const ROUNDS_PER_RUN = 4;

/**
 * Serves a queue of requests: takes all there are and works on them as a batch.
 *
 * One round: ask for no kicks, take everything there is, submit it, publish what has completed with one
 * interrupt (in a long batch earlier: K6), ask for kicks again and look once more (rule Q4). Its requests are followed in
 * the trace, or none of them is (rule F1).
 */
export abstract class BatchQueueHandler extends VirtQueueHandler {
  #batches = 0;

  /**
   * What the device does with a chain: ends in `complete`, now or later. The chain is valid only during the call.
   * @param nowNs - when it was taken
   */
  protected abstract handleChain(chain: DescriptorChain, nowNs: number): void;
  /** All chains of a round were handled: submit what was gathered. */
  protected submitBatch(): void {}

  protected override workWaits(): boolean {
    return this.isServing && this.queue.hasWork();
  }

  protected override work(kickNs: number): void {
    const { queue } = this;
    let announced = kickNs;
    for (let round = 0; ; round++) {
      if (round === ROUNDS_PER_RUN) {
        // The driver is faster than we are: others first, then on.
        this.workLater();
        return;
      }
      queue.disableNotification();
      queue.follows = this.env.tracer.follows(this.#batches++);
      this.#takeAll(announced);
      this.submitBatch();
      queue.flush();
      if (!this.isPolling) queue.enableNotification();
      if (!this.isServing || !queue.hasWork()) return;
      announced = 0;
    }
  }

  /** At most one lap of the ring, however fast the driver adds. */
  #takeAll(kickNs: number): void {
    const { clock } = this.env;
    let nowNs = clock.nowNs();
    for (let i = 0; i < this.queue.size && this.isServing; i++) {
      const chain = this.take(kickNs, nowNs);
      if (chain === undefined) return;
      const { unpublished } = this.queue;
      this.handleChain(chain, nowNs);
      // Chains are taken within a microsecond of each other; but where one was worked on, time has passed.
      if (this.queue.unpublished !== unpublished) nowNs = clock.nowNs();
    }
  }
}
