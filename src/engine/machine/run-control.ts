import { assert } from '../base/assert.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import type { ControlOp, ControlRequest } from '../virtio/transport/control.ts';

/** What a hart's thread is to do; written by the main context, read by the hart's thread. */
export const HART_COMMAND = {
  /** Wait: before the first reset, and while the machine is paused. */
  pause: 0,
  run: 1,
  quit: 2,
} as const;

/** What a hart's thread is doing; written by it. */
export const HART_STATE = {
  starting: 0,
  /** Paused by the machine, or not yet told to run. */
  paused: 1,
  running: 2,
  wfi: 3,
  /** Stopped in the sense of SBI HSM: waits for hart_start. */
  stopped: 4,
  /** In a control call: waits for the main context. */
  calling: 5,
  gone: 6,
} as const;

/**
 * One per hart: the command and its acknowledgement, the reset vector, HSM state, and the mailbox of
 * control calls (device registers whose effect belongs to the main context).
 */
export const HartControlLayout = struct(
  'HartControl',
  {
    command: 'u32',
    state: 'u32',
    resetRequest: 'u32', // counts resets asked for
    resetDone: 'u32', // counts resets carried out
    restoreRequest: 'u32', // counts restores of the hart's area from a snapshot
    restoreDone: 'u32', // counts those the hart knows of
    resetPriv: 'u32',
    hsm: 'u32',
    resetPc: 'u64',
    resetA0: 'u64',
    resetA1: 'u64',
    resetA2: 'u64',
    wfiSince: 'f64',
    idleNs: 'f64',
    /** Spins in WFI: it has a core although it executes nothing. */
    polling: 'u32',
    pollingSpare: 'u32',
    // mailbox of control calls
    callState: 'u32',
    callOp: 'u32',
    callDev: 'u32',
    callQueue: 'u32',
    callOffset: 'u32',
    callSize: 'u32',
    callValue: 'u32',
    // what the guest asked of the finisher or of SBI: POWER, and the exit code
    power: 'u32',
    powerCode: 'u32',
  },
  64,
);

const CALL_FREE = 0;
const CALL_ASKED = 1;
const CALL_TAKEN = 2;
const CALL_ANSWERED = 3;

/** What a guest can ask for with the test finisher or SBI SRST. */
export const POWER = { none: 0, poweroff: 1, fail: 2, reset: 3 } as const;

/** Typed access to one hart's control block. Any thread. */
export class HartControl {
  readonly addr: number;
  readonly #mem: SharedMemory;

  constructor(mem: SharedMemory, addr: number) {
    this.#mem = mem;
    this.addr = addr;
  }
  get(field: keyof typeof HartControlLayout.at): number {
    return this.#mem.load32(this.addr + HartControlLayout.at[field]);
  }
  set(field: keyof typeof HartControlLayout.at, value: number): void {
    this.#mem.store32(this.addr + HartControlLayout.at[field], value);
  }
  cas(field: keyof typeof HartControlLayout.at, expected: number, value: number): boolean {
    return this.#mem.cas32(this.addr + HartControlLayout.at[field], expected, value) === expected;
  }
  get64(field: 'resetPc' | 'resetA0' | 'resetA1' | 'resetA2'): bigint {
    return BigInt.asUintN(64, this.#mem.load64(this.addr + HartControlLayout.at[field]));
  }
  set64(field: 'resetPc' | 'resetA0' | 'resetA1' | 'resetA2', value: bigint): void {
    this.#mem.store64(this.addr + HartControlLayout.at[field], BigInt.asIntN(64, value));
  }
  getNs(field: 'wfiSince' | 'idleNs'): number {
    return this.#mem.loadF64(this.addr + HartControlLayout.at[field]);
  }
  setNs(field: 'wfiSince' | 'idleNs', value: number): void {
    this.#mem.storeF64(this.addr + HartControlLayout.at[field], value);
  }

  /**
   * Hart's thread: asks the main context and sleeps until it answered. `notify` makes the main context look.
   * The main context must not wait for this hart while it serves the call.
   */
  call(request: ControlRequest, notify: () => void): void {
    assert(this.get('callState') === CALL_FREE, 'a hart makes one control call at a time');
    this.set('callOp', request.op);
    this.set('callDev', request.dev);
    this.set('callQueue', request.queue);
    this.set('callOffset', request.offset);
    this.set('callSize', request.size);
    this.set('callValue', request.value);
    // ORDER: pairs with the swap of callState in takeCall().
    this.set('callState', CALL_ASKED);
    notify();
    const at = this.addr + HartControlLayout.at.callState;
    for (;;) {
      const state = this.#mem.load32(at);
      if (state === CALL_ANSWERED) break;
      this.#mem.wait32(at, state, Infinity);
    }
    this.set('callState', CALL_FREE);
  }

  /** Main context: takes the call that waits, if one does; `answerCall` must follow. */
  takeCall(): ControlRequest | undefined {
    if (!this.cas('callState', CALL_ASKED, CALL_TAKEN)) return undefined;
    return {
      op: this.get('callOp') as ControlOp,
      dev: this.get('callDev'),
      queue: this.get('callQueue'),
      offset: this.get('callOffset'),
      size: this.get('callSize'),
      value: this.get('callValue'),
    };
  }

  /** Main context: lets the hart go on. */
  answerCall(): void {
    // ORDER: pairs with the load of callState in call().
    this.set('callState', CALL_ANSWERED);
    this.#mem.notify32(this.addr + HartControlLayout.at.callState);
  }
}
