import { describe, expect, it } from 'vitest';
import type { HsmState, SbiMachine } from './sbi.ts';
import { HSM_STARTED, HSM_STOPPED, Sbi } from './sbi.ts';

const SUCCESS = 0n;
const error = (code: number): bigint => BigInt.asUintN(64, BigInt(code));
const NOT_SUPPORTED = error(-2);
const INVALID_PARAM = error(-3);
const INVALID_ADDRESS = error(-5);
const ALREADY_AVAILABLE = error(-6);
const ALL_ONES = (1n << 64n) - 1n;

const TIME = 0x54494d45;
const IPI = 0x735049;
const RFENCE = 0x52464e43;
const HSM = 0x48534d;
const SRST = 0x53525354;
const DBCN = 0x4442434e;
const PMU = 0x504d55;

const RAM = 0x8000_0000;

class FakeMachine implements SbiMachine {
  readonly hartCount = 3;
  readonly log: string[] = [];
  readonly states: HsmState[] = [HSM_STARTED, HSM_STOPPED, HSM_STARTED];
  readonly ram = new Uint8Array(4096);
  output = '';
  input = '';
  /** Bytes the console takes before it is full. */
  room = 100;
  setTimer(hart: { id: number }, ticks: bigint): void {
    this.log.push(`timer ${hart.id} ${ticks}`);
  }
  sendIpi(target: number): void {
    this.log.push(`ipi ${target}`);
  }
  clearIpi(): void {
    this.log.push('clear ipi');
  }
  remoteFence(_hart: unknown, kind: string, targets: readonly number[]): void {
    this.log.push(`${kind} ${targets.join()}`);
  }
  hartStatus(target: number): HsmState {
    return this.states[target] as HsmState;
  }
  hartStart(target: number, addr: bigint, opaque: bigint): boolean {
    this.log.push(`start ${target} ${addr.toString(16)} ${opaque}`);
    this.states[target] = HSM_STARTED;
    return true;
  }
  systemReset(kind: string, failure: boolean): void {
    this.log.push(`reset ${kind} ${failure}`);
  }
  guestBytes(addr: number, bytes: number): Uint8Array | undefined {
    const at = addr - RAM;
    return at >= 0 && at + bytes <= this.ram.length ? this.ram.subarray(at, at + bytes) : undefined;
  }
  consoleWrite(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.output += String.fromCharCode(...taken);
    return taken.length;
  }
  consoleRead(into: Uint8Array): number {
    const count = Math.min(into.length, this.input.length);
    for (let i = 0; i < count; i++) into[i] = this.input.charCodeAt(i);
    this.input = this.input.slice(count);
    return count;
  }
}

function board() {
  const machine = new FakeMachine();
  const sbi = new Sbi(machine);
  const x = Array.from({ length: 32 }, () => 0n);
  const hart = {
    id: 0,
    getX: (i: number) => x[i] as bigint,
    setX: (i: number, v: bigint) => void (x[i] = v),
  };
  const call = (extension: number, fid: number, ...args: (bigint | number)[]) => {
    x.fill(0n);
    x[17] = BigInt(extension);
    x[16] = BigInt(fid);
    for (const [i, arg] of args.entries()) x[10 + i] = BigInt.asUintN(64, BigInt(arg));
    const outcome = sbi.handle(hart);
    return { outcome, error: x[10], value: x[11] };
  };
  return { machine, call, log: machine.log };
}
const returned = (errorCode: bigint, value = 0n) => ({ outcome: 'return', error: errorCode, value });

describe('BASE', () => {
  it('says version 2.0 and which extensions there are', () => {
    const { call } = board();
    expect(call(0x10, 0)).toEqual(returned(SUCCESS, 0x0200_0000n));
    const has = (extension: number) => call(0x10, 3, extension).value;
    expect([0x10, TIME, IPI, RFENCE, HSM, SRST, DBCN, 0, 1, 2, 8].map(has)).toEqual(Array(11).fill(1n));
    expect([PMU, 0x53555350, 4, 5, 0x0900_0000].map(has)).toEqual(Array(5).fill(0n));
  });

  it('answers NOT_SUPPORTED to what there is not', () => {
    const { call } = board();
    expect(call(PMU, 0)).toEqual(returned(NOT_SUPPORTED));
    for (const extension of [0x10, TIME, IPI, RFENCE, HSM, SRST, DBCN]) {
      expect(call(extension, 77).error, extension.toString(16)).toBe(NOT_SUPPORTED);
    }
  });
});

it('TIME: arms the caller’s timer', () => {
  const { call, log } = board();
  expect(call(TIME, 0, ALL_ONES)).toEqual(returned(SUCCESS));
  call(0, 0, 1234);
  expect(log).toEqual([`timer 0 ${ALL_ONES}`, 'timer 0 1234']);
});

it('IPI and RFENCE: hart masks', () => {
  const { call, log } = board();
  expect(call(IPI, 0, 0b101, 0)).toEqual(returned(SUCCESS));
  expect(call(IPI, 0, 0b10, 1)).toEqual(returned(SUCCESS));
  expect(call(RFENCE, 0, 0, ALL_ONES)).toEqual(returned(SUCCESS));
  expect(call(RFENCE, 1, 0b11, 0, 0x1000, 0x1000)).toEqual(returned(SUCCESS));
  expect(call(RFENCE, 2, 0b11, 0, 0x1000, 0x1000, 7)).toEqual(returned(SUCCESS));
  expect(log).toEqual(['ipi 0', 'ipi 2', 'ipi 2', 'fence.i 0,1,2', 'sfence.vma 0,1', 'sfence.vma 0,1']);
});

it('IPI and RFENCE: a mask that names a hart that is not there does nothing', () => {
  const { call, log } = board();
  expect(call(IPI, 0, 0b1001, 0)).toEqual(returned(INVALID_PARAM));
  expect(call(IPI, 0, 1, 3)).toEqual(returned(INVALID_PARAM));
  expect(call(RFENCE, 0, 0b1000, 0)).toEqual(returned(INVALID_PARAM));
  expect(log).toEqual([]);
});

describe('HSM', () => {
  it('starts a stopped hart', () => {
    const { call, log } = board();
    expect(call(HSM, 2, 1)).toEqual(returned(SUCCESS, 1n));
    expect(call(HSM, 0, 1, RAM + 0x100, 99)).toEqual(returned(SUCCESS));
    expect(log).toEqual(['start 1 80000100 99']);
    expect(call(HSM, 2, 1)).toEqual(returned(SUCCESS, 0n));
  });

  it('refuses harts that run, harts and addresses that are not there', () => {
    const { call, log } = board();
    expect(call(HSM, 0, 2, RAM, 0)).toEqual(returned(ALREADY_AVAILABLE));
    expect(call(HSM, 0, 3, RAM, 0)).toEqual(returned(INVALID_PARAM));
    expect(call(HSM, 0, ALL_ONES, RAM, 0)).toEqual(returned(INVALID_PARAM));
    expect(call(HSM, 0, 1, 0x1000, 0)).toEqual(returned(INVALID_ADDRESS));
    expect(call(HSM, 0, 1, ALL_ONES, 0)).toEqual(returned(INVALID_ADDRESS));
    expect(call(HSM, 2, 3)).toEqual(returned(INVALID_PARAM));
    expect(log).toEqual([]);
  });

  it('stops and suspends the caller', () => {
    const { call } = board();
    expect(call(HSM, 1).outcome).toBe('stop');
    expect(call(HSM, 3, 0)).toEqual({ outcome: 'suspend', error: SUCCESS, value: 0n });
    expect(call(HSM, 3, 0x8000_0000)).toEqual(returned(NOT_SUPPORTED));
    expect(call(HSM, 3, 1)).toEqual(returned(INVALID_PARAM));
  });
});

it('SRST: shuts down and reboots, with the reason', () => {
  const { call, log } = board();
  expect(call(SRST, 0, 0, 0).outcome).toBe('reset');
  expect(call(SRST, 0, 1, 1).outcome).toBe('reset');
  expect(call(SRST, 0, 2, 0).outcome).toBe('reset');
  expect(call(8, 0).outcome).toBe('reset');
  expect(call(SRST, 0, 3, 0)).toEqual(returned(INVALID_PARAM));
  expect(call(SRST, 0, 0, 2)).toEqual({ outcome: 'return', error: INVALID_PARAM, value: 0n });
  expect(log).toEqual([
    'reset shutdown false',
    'reset reboot true',
    'reset reboot false',
    'reset shutdown false',
  ]);
});

describe('console', () => {
  it('DBCN writes from and reads into guest memory, and says how much', () => {
    const { call, machine } = board();
    machine.ram.set(
      Uint8Array.from('hello', (c) => c.charCodeAt(0)),
      16,
    );
    machine.room = 4;
    expect(call(DBCN, 0, 5, RAM + 16, 0)).toEqual(returned(SUCCESS, 4n));
    expect(machine.output).toBe('hell');
    expect(call(DBCN, 2, 0x41).error).toBe(error(-1));
    machine.room = 1;
    expect(call(DBCN, 2, 0x141)).toEqual(returned(SUCCESS));
    expect(machine.output).toBe('hellA');
    machine.input = 'xyz';
    expect(call(DBCN, 1, 2, RAM, 0)).toEqual(returned(SUCCESS, 2n));
    expect(String.fromCharCode(...machine.ram.subarray(0, 2))).toBe('xy');
  });

  it('DBCN refuses what is not RAM', () => {
    const { call } = board();
    for (const args of [
      [1, RAM - 1, 0],
      [8192, RAM, 0],
      [1, RAM, 1],
      [ALL_ONES, RAM, 0],
    ] as const) {
      expect(call(DBCN, 0, ...args)).toEqual(returned(INVALID_PARAM));
    }
  });

  it('legacy calls answer in a0 alone', () => {
    const { call, machine } = board();
    expect(call(1, 0, 0x42, 7)).toEqual(returned(SUCCESS, 7n));
    expect(machine.output).toBe('B');
    expect(call(2, 0, 0, 7)).toEqual(returned(ALL_ONES, 7n));
    machine.input = 'q';
    expect(call(2, 0).error).toBe(BigInt('q'.charCodeAt(0)));
  });
});
