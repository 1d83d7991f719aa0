/**
 * A receive queue and a transmit queue that share one backend, in the context that serves both. The backend is
 * connected while at least one of them is served; while a queue is not, its direction waits and nothing is lost.
 *
 * All methods are for the thread of that context.
 */
export abstract class QueuePair<Receiver, Transmitter> {
  protected receiver: Receiver | undefined;
  protected transmitter: Transmitter | undefined;
  #connected = false;

  /** The first of the two queues is served, or the last no longer is: listen to the backend, or stop. */
  protected abstract connect(connected: boolean): void;

  setReceiver(receiver: Receiver | undefined): void {
    this.receiver = receiver;
    this.#update();
  }
  setTransmitter(transmitter: Transmitter | undefined): void {
    this.transmitter = transmitter;
    this.#update();
  }

  #update(): void {
    const used = this.receiver !== undefined || this.transmitter !== undefined;
    if (used === this.#connected) return;
    this.#connected = used;
    this.connect(used);
  }
}
