import type { AioLoop } from '../qcontext/aio-interface.ts';
import type { DescriptorChain } from './queue/chain.ts';
import { VirtQueueHandler } from './queue-handler.ts';

/**
 * Serves a queue whose buffers wait for the other side: to be filled when something arrives, or to be sent
 * when there is room. A buffer is looked at first and taken only when it is used up at once, so that none
 * is ever in flight and a drain has nothing to wait for.
 */
export abstract class PullQueueHandler extends VirtQueueHandler {
  /** The driver has added buffers, or the queue has come to this context. */
  protected abstract buffersAdded(): void;
  /** The queue is served from now on, or is about to be no longer: tell the other side. */
  protected abstract served(serving: boolean): void;

  override attach(aio: AioLoop): void {
    super.attach(aio);
    this.served(true);
  }
  override detach(): void {
    this.served(false);
    super.detach();
  }

  protected override work(): void {
    this.queue.enableNotification();
    this.buffersAdded();
  }

  /** The next buffer, not yet taken; undefined if there is none, and then a kick will tell. */
  protected nextBuffer(): DescriptorChain | undefined {
    if (!this.isServing) return undefined;
    const chain = this.peek();
    if (chain !== undefined || !this.isServing) return chain;
    // Q4: ask for the kick, then look again.
    this.queue.enableNotification();
    return this.peek();
  }

  /** Takes the buffer just looked at and returns it with `written` bytes written. */
  protected useBuffer(written: number): void {
    const chain = this.take(0);
    // The driver may have spoilt it since it was looked at; then the device has failed, and that is all.
    if (chain !== undefined) this.complete(chain, Math.min(written, chain.writable.bytes));
  }

  /**
   * Gives `send` the driver's buffers one after another and returns each, until there is none or `send` says
   * that the other side takes no more (it stays, and is looked at again). After a lap of the ring the other
   * sources of the context have their turn.
   */
  protected sendEach(send: (chain: DescriptorChain) => boolean): void {
    for (let i = 0; ; i++) {
      const chain = this.nextBuffer();
      if (chain === undefined) return;
      if (i > this.queue.size) {
        this.workLater();
        return;
      }
      if (!send(chain)) return;
      this.useBuffer(0);
    }
  }
}
