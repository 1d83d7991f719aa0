import { TRACE } from '../../trace/schema.ts';
import type { Tracer } from '../../trace/tracer.ts';

/**
 * What became of a queue's requests that are not followed, until it is told: sums in place of the records each of them
 * would have had. Belongs to the context that serves the queue.
 */
export class CountedRequests {
  popped = 0;
  filled = 0;
  /** At the disk: given to it, back from it, and the bytes of those. */
  submitted = 0;
  completed = 0;
  bytes = 0;

  /** Writes the sums to the trace. What the ring has no room for is told the next time. */
  tell(tracer: Tracer, dev: number, queue: number, lastAvailIdx: number): void {
    const { popped, filled, submitted, completed, bytes } = this;
    if (popped > 0 || filled > 0) {
      if (tracer.emit(TRACE.virtqueue_counted, dev, queue, popped, filled, lastAvailIdx))
        this.popped = this.filled = 0;
    }
    if (submitted > 0 || completed > 0) {
      if (tracer.emit(TRACE.virtio_blk_counted, dev, queue, submitted, completed, bytes))
        this.submitted = this.completed = this.bytes = 0;
    }
  }
}
