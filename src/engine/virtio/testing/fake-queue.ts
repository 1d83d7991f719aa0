/** One buffer of a chain, as a driver describes it. */
export interface FakeBuffer {
  readonly addr: number;
  readonly length: number;
  readonly writable: boolean;
}

export interface FakeQueueOptions {
  readonly indirect: boolean;
  readonly eventIdx: boolean;
}

/** A returned buffer: the token `add` gave, and the length the device says it wrote. */
export interface FakeUsed {
  readonly token: number;
  readonly length: number;
}

/** The driver's end of a virtqueue, split or packed. */
export interface FakeQueue {
  readonly size: number;
  /** Guest addresses of the three areas. */
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  /** Descriptors free. */
  readonly free: number;
  /**
   * Puts a chain into the ring; returns its token. `indirect`: through a table of its own. Chains added
   * since the last `publish` become visible together (a packed ring shows them as they are added).
   */
  add(buffers: readonly FakeBuffer[], indirect?: boolean): number;
  /** Makes added chains visible; true if the device wants a kick. */
  publish(): boolean;
  /** Takes returned buffers, and asks to be interrupted at the next one. */
  takeUsed(): FakeUsed[];
  /** Wishes for interrupts: off, on, or (EVENT_IDX) when `count` more buffers have been used. */
  wantInterrupts(wish: 'none' | 'next' | number): void;
}

/** As the spec defines it (2.7.7.2), written from there and not shared with the device on purpose. */
export function crossed(event: number, newIdx: number, oldIdx: number): boolean {
  const distance = (newIdx - oldIdx) & 0xffff;
  const fromEvent = (newIdx - event - 1) & 0xffff;
  return fromEvent < distance;
}
