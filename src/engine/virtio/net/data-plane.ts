import { NET_FRAME_MAX, NET_FRAME_MIN, type NetBackend, type NetFrontEnd } from '../../net/net-backend.ts';
import { TRACE } from '../../trace/schema.ts';
import type { VirtioEnv } from '../env.ts';
import { VirtQueueLayout } from '../layout.ts';
import { PullQueueHandler } from '../pull-queue-handler.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { QueuePair } from '../queue-pair.ts';
import { NET_HEADER_BYTES, NET_NUM_BUFFERS_AT, NET_RECEIVEQ, NET_TRANSMITQ } from './device.ts';

const Q = VirtQueueLayout.at;

/** A NIC in the context that serves it: joins the network backend and the handlers of the device's two queues. */
export class NetPort extends QueuePair<NetReceiver, NetTransmitter> implements NetFrontEnd {
  readonly backend: NetBackend;
  readonly #onLink: (up: boolean) => void;

  /** @param onLink told of link changes, for the configuration space in the main context */
  constructor(backend: NetBackend, onLink: (up: boolean) => void) {
    super();
    this.backend = backend;
    this.#onLink = onLink;
  }

  protected override connect(connected: boolean): void {
    this.backend.setFrontEnd(connected ? this : null);
  }

  receive(frame: Uint8Array): boolean {
    return this.receiver?.receive(frame) ?? false;
  }
  sendable(): void {
    this.transmitter?.transmit();
  }
  linkChanged(up: boolean): void {
    this.#onLink(up);
  }
}

/** The receive queue: frames towards the guest, one buffer each (no VIRTIO_NET_F_MRG_RXBUF). */
export class NetReceiver extends PullQueueHandler {
  readonly #port: NetPort;
  readonly #header = new Uint8Array(NET_HEADER_BYTES);

  constructor(env: VirtioEnv, notifier: QueueEvent, port: NetPort) {
    super(env, NET_RECEIVEQ, notifier);
    this.#port = port;
    // 5.1.6.4.1: without MRG_RXBUF num_buffers is 1; no offload fields.
    this.#header[NET_NUM_BUFFERS_AT] = 1;
  }

  protected override served(serving: boolean): void {
    this.#port.setReceiver(serving ? this : undefined);
  }

  protected override buffersAdded(): void {
    this.#port.backend.acceptFrames();
  }

  /** True if the frame was dealt with: delivered, or dropped because no buffer of the driver's can hold it. */
  receive(frame: Uint8Array): boolean {
    const chain = this.nextBuffer();
    if (chain === undefined) return false;
    const length = NET_HEADER_BYTES + frame.length;
    if (chain.writable.bytes < length) {
      this.state.addF64(Q.errors, 1);
      return true;
    }
    chain.writable.copyFrom(this.env.mem, this.#header);
    chain.writable.copyFrom(this.env.mem, frame, NET_HEADER_BYTES);
    this.state.addF64(Q.bytesRead, frame.length);
    this.env.tracer.emit(TRACE.virtio_net_rx, this.env.dev, this.index, frame.length);
    this.useBuffer(length);
    return true;
  }
}

/** The transmit queue: frames from the guest. */
export class NetTransmitter extends PullQueueHandler {
  readonly #port: NetPort;
  readonly #frame = new Uint8Array(NET_FRAME_MAX);

  constructor(env: VirtioEnv, notifier: QueueEvent, port: NetPort) {
    super(env, NET_TRANSMITQ, notifier);
    this.#port = port;
  }

  protected override served(serving: boolean): void {
    this.#port.setTransmitter(serving ? this : undefined);
  }

  protected override buffersAdded(): void {
    this.transmit();
  }

  /** Sends what the backend takes; it calls again when it takes more. */
  transmit(): void {
    this.sendEach((chain) => {
      const length = chain.readable.bytes - NET_HEADER_BYTES;
      if (length >= NET_FRAME_MIN && length <= NET_FRAME_MAX) {
        chain.readable.copyTo(this.env.mem, this.#frame.subarray(0, length), NET_HEADER_BYTES);
        if (!this.#port.backend.send(this.#frame.subarray(0, length))) return false;
        this.state.addF64(Q.bytesWritten, length);
        this.env.tracer.emit(TRACE.virtio_net_tx, this.env.dev, this.index, length);
      } else {
        // Not a frame: dropped and returned, as a wire would.
        this.state.addF64(Q.errors, 1);
      }
      return true;
    });
  }
}
