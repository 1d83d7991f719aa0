import { assert } from '../base/assert.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';

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

/** SBI HSM states of a hart (SBI 2.0, 9): the values the guest sees. */
export const HSM = { started: 0, stopped: 1, startPending: 2, stopPending: 3, suspended: 4 } as const;

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
    resetPriv: 'u32',
    hsm: 'u32',
    resetPc: 'u64',
    resetA0: 'u64',
    resetA1: 'u64',
    wfiSince: 'f64',
    idleNs: 'f64',
    // mailbox: 0 free, 1 asked, 2 answered
    callState: 'u32',
    callOp: 'u32',
    callSlot: 'u32',
    callA0: 'u32',
    callA1: 'u32',
    callResult: 'u32',
  },
  64,
);

export const CALL_FREE = 0;
export const CALL_ASKED = 1;
export const CALL_ANSWERED = 2;

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
  get64(field: 'resetPc' | 'resetA0' | 'resetA1'): bigint {
    return BigInt.asUintN(64, this.#mem.load64(this.addr + HartControlLayout.at[field]));
  }
  set64(field: 'resetPc' | 'resetA0' | 'resetA1', value: bigint): void {
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
  call(op: number, slot: number, a0: number, a1: number, notify: () => void): number {
    assert(this.get('callState') === CALL_FREE, 'a hart makes one control call at a time');
    this.set('callOp', op);
    this.set('callSlot', slot);
    this.set('callA0', a0);
    this.set('callA1', a1);
    // ORDER: pairs with the load of callState in takeCall().
    this.set('callState', CALL_ASKED);
    notify();
    const at = this.addr + HartControlLayout.at.callState;
    while (this.#mem.load32(at) !== CALL_ANSWERED) this.#mem.wait32(at, CALL_ASKED, Infinity);
    const result = this.get('callResult');
    this.set('callState', CALL_FREE);
    return result;
  }

  /** Main context: the call that waits, if one does. */
  takeCall(): { op: number; slot: number; a0: number; a1: number } | undefined {
    if (this.get('callState') !== CALL_ASKED) return undefined;
    return {
      op: this.get('callOp'),
      slot: this.get('callSlot'),
      a0: this.get('callA0'),
      a1: this.get('callA1'),
    };
  }

  /** Main context: answers it. */
  answerCall(result: number): void {
    this.set('callResult', result);
    // ORDER: pairs with the load of callState in call().
    this.set('callState', CALL_ANSWERED);
    this.#mem.notify32(this.addr + HartControlLayout.at.callState);
  }
}
