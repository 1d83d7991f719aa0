import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_STATUS, type ControlRequest } from '../virtio/transport/control.ts';
import { HartControl, HartControlLayout } from './run-control.ts';

const ADDR = 1024;
const request: ControlRequest = {
  op: CONTROL_STATUS,
  dev: 7,
  queue: 1,
  offset: 0x70,
  size: 4,
  value: 0xffff_fff0,
};

function make() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const mem = new SharedMemory(memory);
  return { memory, hart: new HartControl(mem, ADDR), main: new HartControl(mem, ADDR) };
}

describe('the mailbox of control calls', () => {
  it('carries a call to the main context once, and frees itself after the answer', () => {
    const { hart, main } = make();
    expect(main.takeCall()).toBeUndefined();
    let taken: ControlRequest | undefined;
    hart.call(request, () => {
      taken = main.takeCall();
      expect(main.takeCall()).toBeUndefined();
      main.answerCall();
    });
    expect(taken).toEqual(request);
    expect(main.takeCall()).toBeUndefined();
    hart.call({ ...request, value: 1 }, () => {
      taken = main.takeCall();
      main.answerCall();
    });
    expect(taken?.value).toBe(1);
  });

  it('takes one call at a time', () => {
    const { hart, main } = make();
    hart.call(request, () => {
      expect(() => hart.call(request, () => {})).toThrow('one control call at a time');
      main.takeCall();
      main.answerCall();
    });
  });

  it('keeps the hart asleep while the call is taken, until another thread answers', async () => {
    const { memory, hart } = make();
    // The main context's part, in a real thread: takes the call, lets the hart see that, answers later.
    const worker = new Worker(
      `const { workerData: { buffer, at }, parentPort } = require('node:worker_threads');
       const words = new Int32Array(buffer);
       parentPort.postMessage('ready');
       while (Atomics.load(words, at) !== 1) Atomics.wait(words, at, Atomics.load(words, at), 5);
       Atomics.store(words, at, 2);
       Atomics.notify(words, at);
       Atomics.wait(words, 0, 0, 30);
       Atomics.store(words, 1, 1);
       Atomics.store(words, at, 3);
       Atomics.notify(words, at);`,
      { eval: true, workerData: { buffer: memory.buffer, at: (ADDR + HartControlLayout.at.callState) / 4 } },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    hart.call(request, () => {});
    expect(new Int32Array(memory.buffer)[1]).toBe(1);
    await new Promise((resolve) => worker.once('exit', resolve));
  });
});

describe('the control block of a hart', () => {
  it('holds 64-bit values whole, whatever their sign', () => {
    const { hart, main } = make();
    main.set64('resetA1', 0xffff_ffff_8000_0000n);
    expect(hart.get64('resetA1')).toBe(0xffff_ffff_8000_0000n);
    main.set('hsm', 0xffff_ffff);
    expect(hart.get('hsm')).toBe(0xffff_ffff);
  });

  it('changes a word for one of several that try', () => {
    const { hart } = make();
    expect([hart.cas('hsm', 0, 2), hart.cas('hsm', 0, 2), hart.get('hsm')]).toEqual([true, false, 2]);
  });
});
