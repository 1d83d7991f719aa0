/**
 * The built-in firmware: RISC-V Supervisor Binary Interface 2.0, as much as Linux asks for. Calls come from
 * S mode; extension in a7, function in a6, arguments in a0…a5, answer in a0 (error) and a1 (value).
 */

/** Registers of the calling hart. */
export interface SbiHart {
  /** Physical hart id. */
  readonly id: number;
  /** x register as an unsigned 64-bit value. */
  getX(index: number): bigint;
  setX(index: number, value: bigint): void;
}

/** States of a hart (chapter 9, HSM). */
export const HSM_STARTED = 0;
export const HSM_STOPPED = 1;
export const HSM_START_PENDING = 2;
export const HSM_STOP_PENDING = 3;
export const HSM_SUSPENDED = 4;
export type HsmState =
  | typeof HSM_STARTED
  | typeof HSM_STOPPED
  | typeof HSM_START_PENDING
  | typeof HSM_STOP_PENDING
  | typeof HSM_SUSPENDED;

/** What the firmware can do to the machine. Called in the calling hart's thread. */
export interface SbiMachine {
  readonly hartCount: number;
  /** Arms the calling hart's supervisor timer at an absolute tick (all ones: never) and clears its pending bit. */
  setTimer(hart: SbiHart, ticks: bigint): void;
  /** Raises SSIP of a hart. */
  sendIpi(target: number): void;
  /** Clears SSIP of the calling hart (legacy clear_ipi). */
  clearIpi(hart: SbiHart): void;
  /**
   * Makes each hart execute a full fence.i or sfence.vma; returns when all have. Must answer fences asked of
   * the calling hart meanwhile, or two harts wait for each other for ever. A stopped hart counts as done.
   */
  remoteFence(hart: SbiHart, kind: 'fence.i' | 'sfence.vma', targets: readonly number[]): void;
  /** State of hart `target`. */
  hartStatus(target: number): HsmState;
  /**
   * Starts a stopped hart in S mode at physical `addr`, a0 = its id, a1 = `opaque`, satp = 0, interrupts off.
   * False if it was not stopped any more: two harts asked at once.
   */
  hartStart(target: number, addr: bigint, opaque: bigint): boolean;
  /** `shutdown`, `cold reboot` or `warm reboot`; `failure` says the guest gives up. Does not have to wait. */
  systemReset(kind: 'shutdown' | 'reboot', failure: boolean): void;
  /** A view of guest RAM, or undefined if any of it is not RAM. */
  guestBytes(addr: number, bytes: number): Uint8Array | undefined;
  /** Console output; returns bytes taken, without waiting. */
  consoleWrite(bytes: Uint8Array): number;
  /** Console input; returns bytes stored, without waiting. */
  consoleRead(into: Uint8Array): number;
}

/** What becomes of the calling hart. */
export type SbiOutcome =
  /** It runs on behind the ecall; a0 and a1 hold the answer. */
  | 'return'
  /** It is stopped until another hart starts it. */
  | 'stop'
  /** It waits for an interrupt as in WFI and then runs on; the answer is in place. */
  | 'suspend'
  /** The machine was asked to shut down or reset: the hart does not run on. */
  | 'reset';

// Extension ids: the name in ASCII, except for BASE.
const EXT_BASE = 0x10;
const EXT_TIME = 0x54494d45;
const EXT_IPI = 0x735049;
const EXT_RFENCE = 0x52464e43;
const EXT_HSM = 0x48534d;
const EXT_SRST = 0x53525354;
const EXT_DBCN = 0x4442434e;
/** Legacy extensions (chapter 5) are their function: the extension id alone says what to do. */
const LEGACY_SET_TIMER = 0;
const LEGACY_CONSOLE_PUTCHAR = 1;
const LEGACY_CONSOLE_GETCHAR = 2;
const LEGACY_CLEAR_IPI = 3;
const LEGACY_SHUTDOWN = 8;

const EXTENSIONS: ReadonlySet<number> = new Set([
  EXT_BASE,
  EXT_TIME,
  EXT_IPI,
  EXT_RFENCE,
  EXT_HSM,
  EXT_SRST,
  EXT_DBCN,
  LEGACY_SET_TIMER,
  LEGACY_CONSOLE_PUTCHAR,
  LEGACY_CONSOLE_GETCHAR,
  LEGACY_CLEAR_IPI,
  LEGACY_SHUTDOWN,
]);

const SUCCESS = 0;
const ERR_FAILED = -1;
const ERR_NOT_SUPPORTED = -2;
const ERR_INVALID_PARAM = -3;
const ERR_INVALID_ADDRESS = -5;
const ERR_ALREADY_AVAILABLE = -6;

const SPEC_VERSION = 0x0200_0000;
/** Not a registered implementation id: "QCPG" in ASCII, far from the registered ones. */
const IMPL_ID = 0x51435047;
const IMPL_VERSION = 1;

const A0 = 10;
const A1 = 11;
const A2 = 12;
const A6 = 16;
const A7 = 17;
const ALL_ONES = (1n << 64n) - 1n;

/** The firmware of one hart thread. Stateless: the machine has the state. */
export class Sbi {
  readonly #machine: SbiMachine;
  readonly #byte = new Uint8Array(1);

  constructor(machine: SbiMachine) {
    this.#machine = machine;
  }

  /** Serves the ecall whose arguments are in the hart's registers. Hart's thread. */
  handle(hart: SbiHart): SbiOutcome {
    const extension = Number(hart.getX(A7));
    const fid = Number(hart.getX(A6));
    switch (extension) {
      case EXT_BASE:
        return this.#base(hart, fid);
      case EXT_TIME:
        if (fid !== 0) return answer(hart, ERR_NOT_SUPPORTED);
        this.#machine.setTimer(hart, hart.getX(A0));
        return answer(hart, SUCCESS);
      case EXT_IPI: {
        if (fid !== 0) return answer(hart, ERR_NOT_SUPPORTED);
        const targets = this.#hartMask(hart);
        if (targets === undefined) return answer(hart, ERR_INVALID_PARAM);
        for (const target of targets) this.#machine.sendIpi(target);
        return answer(hart, SUCCESS);
      }
      case EXT_RFENCE:
        return this.#rfence(hart, fid);
      case EXT_HSM:
        return this.#hsm(hart, fid);
      case EXT_SRST:
        return this.#srst(hart, fid);
      case EXT_DBCN:
        return this.#dbcn(hart, fid);
      case LEGACY_SET_TIMER:
        this.#machine.setTimer(hart, hart.getX(A0));
        return legacyAnswer(hart, SUCCESS);
      case LEGACY_CONSOLE_PUTCHAR:
        this.#byte[0] = Number(hart.getX(A0) & 0xffn);
        this.#machine.consoleWrite(this.#byte);
        return legacyAnswer(hart, SUCCESS);
      case LEGACY_CONSOLE_GETCHAR: {
        const count = this.#machine.consoleRead(this.#byte);
        return legacyAnswer(hart, count === 1 ? (this.#byte[0] as number) : -1);
      }
      case LEGACY_CLEAR_IPI:
        this.#machine.clearIpi(hart);
        return legacyAnswer(hart, SUCCESS);
      case LEGACY_SHUTDOWN:
        this.#machine.systemReset('shutdown', false);
        return 'reset';
      default:
        return answer(hart, ERR_NOT_SUPPORTED);
    }
  }

  /** Chapter 4. */
  #base(hart: SbiHart, fid: number): SbiOutcome {
    switch (fid) {
      case 0:
        return answer(hart, SUCCESS, BigInt(SPEC_VERSION));
      case 1:
        return answer(hart, SUCCESS, BigInt(IMPL_ID));
      case 2:
        return answer(hart, SUCCESS, BigInt(IMPL_VERSION));
      case 3:
        return answer(hart, SUCCESS, EXTENSIONS.has(Number(hart.getX(A0))) ? 1n : 0n);
      case 4: // mvendorid, marchid and mimpid, which are 0 here
      case 5:
      case 6:
        return answer(hart, SUCCESS, 0n);
      default:
        return answer(hart, ERR_NOT_SUPPORTED);
    }
  }

  /** Chapter 8. Ranges and address spaces are ignored: a full fence does all they ask for. */
  #rfence(hart: SbiHart, fid: number): SbiOutcome {
    if (fid > 2) return answer(hart, ERR_NOT_SUPPORTED); // the others fence guests of a hypervisor
    const targets = this.#hartMask(hart);
    if (targets === undefined) return answer(hart, ERR_INVALID_PARAM);
    this.#machine.remoteFence(hart, fid === 0 ? 'fence.i' : 'sfence.vma', targets);
    return answer(hart, SUCCESS);
  }

  /** Chapter 9. */
  #hsm(hart: SbiHart, fid: number): SbiOutcome {
    switch (fid) {
      case 0: {
        const target = this.#hartId(hart.getX(A0));
        if (target === undefined) return answer(hart, ERR_INVALID_PARAM);
        const addr = hart.getX(A1);
        if (!this.#isRam(addr, 2)) return answer(hart, ERR_INVALID_ADDRESS);
        if (this.#machine.hartStatus(target) !== HSM_STOPPED) return answer(hart, ERR_ALREADY_AVAILABLE);
        const started = this.#machine.hartStart(target, addr, hart.getX(A2));
        return answer(hart, started ? SUCCESS : ERR_ALREADY_AVAILABLE);
      }
      case 1:
        return 'stop';
      case 2: {
        const target = this.#hartId(hart.getX(A0));
        if (target === undefined) return answer(hart, ERR_INVALID_PARAM);
        return answer(hart, SUCCESS, BigInt(this.#machine.hartStatus(target)));
      }
      case 3: {
        const type = hart.getX(A0) & 0xffff_ffffn;
        if (type === 0n) {
          answer(hart, SUCCESS);
          return 'suspend';
        }
        // 0x80000000 is the default non-retentive suspend, which a platform may lack; the rest is reserved.
        return answer(hart, type === 0x8000_0000n ? ERR_NOT_SUPPORTED : ERR_INVALID_PARAM);
      }
      default:
        return answer(hart, ERR_NOT_SUPPORTED);
    }
  }

  /** Chapter 10. */
  #srst(hart: SbiHart, fid: number): SbiOutcome {
    if (fid !== 0) return answer(hart, ERR_NOT_SUPPORTED);
    const type = Number(hart.getX(A0) & 0xffff_ffffn);
    const reason = Number(hart.getX(A1) & 0xffff_ffffn);
    if (type > 2 || reason > 1) return answer(hart, ERR_INVALID_PARAM);
    this.#machine.systemReset(type === 0 ? 'shutdown' : 'reboot', reason === 1);
    return 'reset';
  }

  /** Chapter 12. */
  #dbcn(hart: SbiHart, fid: number): SbiOutcome {
    switch (fid) {
      case 0:
      case 1: {
        const bytes = Number(hart.getX(A0));
        const view = hart.getX(A2) === 0n ? this.#guestBytes(hart.getX(A1), bytes) : undefined;
        if (view === undefined) return answer(hart, ERR_INVALID_PARAM);
        const count = fid === 0 ? this.#machine.consoleWrite(view) : this.#machine.consoleRead(view);
        return answer(hart, SUCCESS, BigInt(count));
      }
      case 2:
        this.#byte[0] = Number(hart.getX(A0) & 0xffn);
        // The specification lets this one wait for room; a hart must not wait for a context, so it fails.
        return answer(hart, this.#machine.consoleWrite(this.#byte) === 1 ? SUCCESS : ERR_FAILED);
      default:
        return answer(hart, ERR_NOT_SUPPORTED);
    }
  }

  /** The harts a mask in a0, based at a1, names; undefined if one of them does not exist. */
  #hartMask(hart: SbiHart): number[] | undefined {
    let mask = hart.getX(A0);
    const base = hart.getX(A1);
    const count = this.#machine.hartCount;
    const targets: number[] = [];
    if (base === ALL_ONES) {
      for (let target = 0; target < count; target++) targets.push(target);
      return targets;
    }
    if (base >= BigInt(count)) return undefined;
    for (let target = Number(base); mask !== 0n; target++, mask >>= 1n) {
      if ((mask & 1n) === 0n) continue;
      if (target >= count) return undefined;
      targets.push(target);
    }
    return targets;
  }

  #hartId(value: bigint): number | undefined {
    return value < BigInt(this.#machine.hartCount) ? Number(value) : undefined;
  }

  #isRam(addr: bigint, bytes: number): boolean {
    return this.#guestBytes(addr, bytes) !== undefined;
  }

  #guestBytes(addr: bigint, bytes: number): Uint8Array | undefined {
    if (addr > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    return this.#machine.guestBytes(Number(addr), bytes);
  }
}

function answer(hart: SbiHart, error: number, value = 0n): SbiOutcome {
  hart.setX(A0, BigInt.asUintN(64, BigInt(error)));
  hart.setX(A1, value);
  return 'return';
}

/** Legacy calls answer in a0 alone; a1 keeps its value. */
function legacyAnswer(hart: SbiHart, value: number): SbiOutcome {
  hart.setX(A0, BigInt.asUintN(64, BigInt(value)));
  return 'return';
}
