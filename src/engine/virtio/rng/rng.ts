import { BatchQueueHandler } from '../batch-queue-handler.ts';
import type { VirtioDeviceModel } from '../device-model.ts';
import type { VirtioEnv } from '../env.ts';
import type { DescriptorChain } from '../queue/chain.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { VIRTIO_ID_ENTROPY } from '../spec.ts';

/** A buffer longer than this is filled in part, as 5.4.6 allows. */
export const RNG_REQUEST_MAX = 64 * 1024;

/** virtio-rng (5.4): one queue, no features, no configuration. */
export const virtioRngModel: VirtioDeviceModel = {
  name: 'virtio-rng',
  deviceId: VIRTIO_ID_ENTROPY,
  queues: [{ name: 'requestq', sizeMax: 64 }],
  features: 0n,
  config: new Uint8Array(0),
};

/** Fills the driver's buffers with entropy (5.4.6.1). */
export class VirtioRngDataPlane extends BatchQueueHandler {
  readonly #randomBytes: (into: Uint8Array<ArrayBuffer>) => void;
  #scratch = new Uint8Array(256);

  /** @param randomBytes Host.randomBytes: the surroundings' cryptographic source */
  constructor(env: VirtioEnv, notifier: QueueEvent, randomBytes: (into: Uint8Array<ArrayBuffer>) => void) {
    super(env, 0, notifier);
    this.#randomBytes = randomBytes;
  }

  protected override handleChain(chain: DescriptorChain): void {
    const bytes = Math.min(chain.writable.bytes, RNG_REQUEST_MAX);
    // A source takes no view of shared memory, so the bytes pass through one that is ours alone.
    if (bytes > this.#scratch.length) this.#scratch = new Uint8Array(bytes);
    const random = this.#scratch.subarray(0, bytes);
    this.#randomBytes(random);
    chain.writable.copyFrom(this.env.mem, random);
    random.fill(0);
    this.complete(chain, bytes);
  }
}
