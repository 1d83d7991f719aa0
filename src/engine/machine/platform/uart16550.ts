import type { PollableNotifier } from '../../qcontext/aio-interface.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import { struct } from '../../base/struct.ts';
import { ByteRing, byteRingBytes } from '../../base/byte-ring.ts';
import { TRACE } from '../../trace/schema.ts';
import type { Tracer } from '../../trace/tracer.ts';
import { nullTracer } from '../../trace/tracer.ts';
import type { IrqLine } from './hart-lines.ts';
import type { MmioDevice, MmioSize } from './mmio.ts';
import { settleLevel } from './settle-level.ts';

const FIFO_BYTES = 16;
/** Host side of the receiver: what was typed or pasted and the guest has not read. */
const RX_RING_BYTES = 16384;
/** Host side of the transmitter. */
const TX_RING_BYTES = 65536;
/** The transmitter counts as empty while a full FIFO's worth fits twice: a driver fills it after one look. */
const TX_ROOM = 2 * FIFO_BYTES;

/** Registers in shared memory, each a word so that any thread reads them whole. */
export const Uart16550Layout = struct(
  'Uart16550',
  {
    ier: 'u32',
    fcr: 'u32',
    lcr: 'u32',
    mcr: 'u32',
    /** Delta bits of MSR (3:0); the upper four follow from MCR. */
    msrDelta: 'u32',
    scr: 'u32',
    dll: 'u32',
    dlm: 'u32',
    /** 1: "transmitter holding register empty" waits to be reported in IIR. */
    thrEmptyPending: 'u32',
    /** 1: the transmit ring was too full; whoever drains it reports the holding register empty. */
    txBlocked: 'u32',
    loopCount: 'u32',
    loop: 'bytes:16',
  },
  64,
);

/** Bytes a UART takes in shared memory, rings included; 64-byte aligned. */
export const UART16550_BYTES =
  Uart16550Layout.size + byteRingBytes(RX_RING_BYTES) + byteRingBytes(TX_RING_BYTES);

// Register offsets; DLAB in LCR swaps the first two for the divisor latch.
const RBR_THR = 0;
const IER = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const IER_RDI = 0x01;
const IER_THRI = 0x02;
const IER_MSI = 0x08;

const IIR_NONE = 0x01;
const IIR_MSI = 0x00;
const IIR_THRI = 0x02;
const IIR_RDI = 0x04;
const IIR_TIMEOUT = 0x0c;
const IIR_ID = 0x0f;
const IIR_FIFOS = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RX = 0x02;
const FCR_CLEAR_TX = 0x04;
const RX_TRIGGER = [1, 4, 8, 14] as const;

const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;

const LSR_DATA = 0x01;
const LSR_THR_EMPTY = 0x20;
const LSR_TX_EMPTY = 0x40;

const MSR_TERI = 0x04;
/** DCD, DSR and CTS: somebody is always at the other end. */
const MSR_CONNECTED = 0xb0;

/**
 * National Semiconductor 16550A. Registers run in the hart's thread; bytes come and go through two rings in
 * shared memory, whose other ends a context holds (uart-chardev.ts).
 *
 * There is no baud rate: a byte written is sent at once, and a byte below the FIFO's trigger level counts
 * as timed out at once. What limits the guest is the host: while the transmit ring is nearly full the
 * holding register is not empty. What the guest does not read waits in the receive ring and, beyond that,
 * with the host. Receiver overruns, parity and framing errors and breaks cannot happen.
 *
 * Rules (the tests bear the numbers):
 *  - U1 the interrupt line is up exactly while IIR would report an interrupt (once races have settled).
 *  - U2 enabling THRI while the holding register is empty reports it, each time anew; reading IIR as THRI or
 *    writing THR takes the report back, and so does disabling it.
 *  - U3 after THR was written, "empty" is reported as soon as the byte has left: at once, or when the host
 *    has made room.
 *  - U4 no byte is lost in either direction, except what a driver clears through FCR and what it sends
 *    without looking at LSR while the host does not take it.
 */
export class Uart16550 implements MmioDevice {
  /** QEMU takes any width and works on one byte. */
  readonly accessSizes = 1 | 2 | 4;
  /** Host → guest. The guest takes; any thread puts, then calls `rxArrived`. */
  readonly rx: ByteRing;
  /** Guest → host. The guest puts; a context takes, then calls `txDrained`. */
  readonly tx: ByteRing;
  readonly #mem: SharedMemory;
  readonly #base: number;
  readonly #irq: IrqLine;
  readonly #txReady: PollableNotifier;
  readonly #rxSpace: PollableNotifier;
  readonly #tracer: Tracer;

  /**
   * @param base `UART16550_BYTES` of shared memory
   * @param notifiers `txReady`: the transmit ring has bytes; `rxSpace`: the receive ring has room again
   *   after `rx.wantSpace()`
   */
  constructor(
    mem: SharedMemory,
    base: number,
    irq: IrqLine,
    notifiers: { readonly txReady: PollableNotifier; readonly rxSpace: PollableNotifier },
    tracer: Tracer = nullTracer,
  ) {
    this.#mem = mem;
    this.#base = base;
    this.#irq = irq;
    this.#txReady = notifiers.txReady;
    this.#rxSpace = notifiers.rxSpace;
    this.#tracer = tracer;
    const rx = base + Uart16550Layout.size;
    this.rx = new ByteRing(mem, rx, RX_RING_BYTES);
    this.tx = new ByteRing(mem, rx + byteRingBytes(RX_RING_BYTES), TX_RING_BYTES);
  }

  /** Board reset. Bytes on their way to the host still get there; what was typed ahead waits for the guest. */
  reset(): void {
    for (let at = 0; at < Uart16550Layout.size; at += 4) this.#mem.store32(this.#base + at, 0);
    this.#store('dll', 12); // 9600 baud on the usual crystal; nobody depends on it
    this.#updateIrq();
  }

  /** Any thread, after putting bytes into `rx`. */
  rxArrived(): void {
    this.#updateIrq();
  }

  /** The context that takes from `tx`, after taking. */
  txDrained(): void {
    if (this.tx.free < TX_ROOM) return;
    // ORDER: pairs with the store of txBlocked in #transmit(), which looks at the ring again after it.
    if (this.#mem.exchange32(this.#base + Uart16550Layout.at.txBlocked, 0) === 0) return;
    this.#store('thrEmptyPending', 1); // U3
    this.#updateIrq();
  }

  read(offset: number, _size: MmioSize): number {
    switch (offset) {
      case RBR_THR:
        return this.#dlab ? this.#load('dll') : this.#receive();
      case IER:
        return this.#dlab ? this.#load('dlm') : this.#load('ier');
      case IIR_FCR: {
        const iir = this.#iir();
        if ((iir & IIR_ID) === IIR_THRI) {
          this.#store('thrEmptyPending', 0); // U2
          this.#updateIrq();
        }
        return iir;
      }
      case LCR:
        return this.#load('lcr');
      case MCR:
        return this.#load('mcr');
      case LSR:
        return (this.#rxCount() > 0 ? LSR_DATA : 0) | (this.#thrEmpty() ? LSR_THR_EMPTY | LSR_TX_EMPTY : 0);
      case MSR: {
        const value = this.#modemLines() | this.#mem.exchange32(this.#base + Uart16550Layout.at.msrDelta, 0);
        this.#updateIrq();
        return value;
      }
      case SCR:
        return this.#load('scr');
      default:
        return 0;
    }
  }

  write(offset: number, _size: MmioSize, wide: number): void {
    const value = wide & 0xff;
    switch (offset) {
      case RBR_THR:
        if (this.#dlab) this.#store('dll', value);
        else this.#transmit(value);
        return;
      case IER:
        if (this.#dlab) this.#store('dlm', value);
        else this.#setIer(value & 0x0f);
        return;
      case IIR_FCR:
        this.#setFcr(value);
        return;
      case LCR:
        this.#store('lcr', value);
        return;
      case MCR:
        this.#setMcr(value & 0x1f);
        return;
      case SCR:
        this.#store('scr', value);
        return;
    }
  }

  #receive(): number {
    const looped = this.#load('loopCount');
    if (looped > 0) {
      const fifo = this.#base + Uart16550Layout.at.loop;
      const value = this.#mem.u8[fifo] as number;
      this.#mem.u8.copyWithin(fifo, fifo + 1, fifo + looped);
      this.#store('loopCount', looped - 1);
      this.#updateIrq();
      return value;
    }
    if (this.#looping) return 0;
    const value = this.rx.takeByte();
    if (value === undefined) return 0;
    this.#tracer.emit(TRACE.serial_read, value);
    this.#rxTaken();
    return value;
  }

  #rxTaken(): void {
    // Half a ring at a time, so that a long paste does not wake the host for every byte.
    if (this.rx.free >= this.rx.capacity / 2 && this.rx.takeWanting()) this.#rxSpace.set();
    this.#updateIrq();
  }

  #transmit(value: number): void {
    this.#tracer.emit(TRACE.serial_write, value);
    if (this.#looping) {
      const count = this.#load('loopCount');
      if (count < FIFO_BYTES) {
        this.#mem.u8[this.#base + Uart16550Layout.at.loop + count] = value;
        this.#store('loopCount', count + 1);
      }
      this.#store('thrEmptyPending', 1);
      this.#updateIrq();
      return;
    }
    this.#store('thrEmptyPending', 0);
    this.tx.putByte(value);
    // ORDER: the byte is in the ring before this look; pairs with testAndClear before the drain.
    if (!this.#txReady.isSet()) this.#txReady.set();
    if (!this.#thrEmpty()) {
      this.#store('txBlocked', 1);
      // The host may have drained the ring before it could see the flag.
      if (this.#thrEmpty()) this.txDrained();
    } else {
      this.#store('thrEmptyPending', 1); // U3
    }
    this.#updateIrq();
  }

  #setIer(value: number): void {
    const rising = value & ~this.#load('ier');
    this.#store('ier', value);
    if ((value & IER_THRI) === 0) this.#store('thrEmptyPending', 0);
    else if ((rising & IER_THRI) !== 0 && this.#thrEmpty()) this.#store('thrEmptyPending', 1); // U2
    this.#updateIrq();
  }

  #setFcr(value: number): void {
    const toggled = ((value ^ this.#load('fcr')) & FCR_ENABLE) !== 0;
    const enabled = (value & FCR_ENABLE) !== 0;
    this.#store('fcr', enabled ? value & (0xc0 | FCR_ENABLE) : 0);
    // Only the chip's FIFO is cleared; what the host has not handed over yet is still on the wire.
    if (toggled || (enabled && (value & FCR_CLEAR_RX) !== 0)) {
      this.#store('loopCount', 0);
      if (!this.#looping) {
        this.rx.skip(Math.min(this.rx.used, FIFO_BYTES));
        this.#rxTaken();
      }
    }
    // The transmit FIFO is always empty (bytes leave at once), so clearing it only reports it so.
    if ((toggled || (value & FCR_CLEAR_TX) !== 0) && this.#thrEmpty()) this.#store('thrEmptyPending', 1);
    this.#updateIrq();
  }

  #setMcr(value: number): void {
    const before = this.#modemLines();
    this.#store('mcr', value);
    const after = this.#modemLines();
    const changed = (before ^ after) >>> 4;
    // The ring indicator counts its trailing edge only.
    const delta = (changed & ~MSR_TERI) | ((before >>> 4) & ~(after >>> 4) & MSR_TERI);
    if (delta !== 0) this.#mem.or32(this.#base + Uart16550Layout.at.msrDelta, delta);
    this.#updateIrq();
  }

  /** MSR bits 7:4. In loopback they are DTR, RTS, OUT1 and OUT2 come back as DSR, CTS, RI and DCD. */
  #modemLines(): number {
    const mcr = this.#load('mcr');
    if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
    return ((mcr & 0x0c) << 4) | ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5);
  }

  /** Bytes the guest can read now: what was looped comes first. */
  #rxCount(): number {
    return this.#load('loopCount') + (this.#looping ? 0 : this.rx.used);
  }

  #thrEmpty(): boolean {
    return this.#looping || this.tx.free >= TX_ROOM;
  }

  #iir(): number {
    const ier = this.#load('ier');
    const fcr = this.#load('fcr');
    const fifos = (fcr & FCR_ENABLE) === 0 ? 0 : IIR_FIFOS;
    if ((ier & IER_RDI) !== 0) {
      const count = this.#rxCount();
      const trigger = fifos === 0 ? 1 : (RX_TRIGGER[fcr >>> 6] as number);
      if (count >= trigger) return fifos | IIR_RDI;
      if (count > 0) return fifos | IIR_TIMEOUT;
    }
    if ((ier & IER_THRI) !== 0 && this.#load('thrEmptyPending') !== 0) return fifos | IIR_THRI;
    if ((ier & IER_MSI) !== 0 && this.#load('msrDelta') !== 0) return fifos | IIR_MSI;
    return fifos | IIR_NONE;
  }

  /** U1 */
  #updateIrq(): void {
    settleLevel(
      () => (this.#iir() & IIR_NONE) === 0,
      (level) => this.#irq.set(level),
    );
  }

  get #dlab(): boolean {
    return (this.#load('lcr') & LCR_DLAB) !== 0;
  }
  get #looping(): boolean {
    return (this.#load('mcr') & MCR_LOOP) !== 0;
  }
  #load(field: keyof (typeof Uart16550Layout)['at']): number {
    return this.#mem.load32(this.#base + Uart16550Layout.at[field]);
  }
  #store(field: keyof (typeof Uart16550Layout)['at'], value: number): void {
    this.#mem.store32(this.#base + Uart16550Layout.at[field], value);
  }
}
