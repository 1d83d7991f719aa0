import { expect, it } from 'vitest';
import type { BoardSnapshot } from '../../../engine/vm.ts';
import { Quiet } from './quiet.ts';

/** A machine whose counters a test moves. */
class Bench {
  readonly quiet = new Quiet();
  #ms = 0;
  instructions = 0;
  requests = 0;
  written = 0;
  runState: BoardSnapshot['runState'] = 'running';

  /** Looks every 250 ms for so long; a guest asleep executes 10,000 instructions meanwhile. */
  pass(ms: number, instructions = 10_000): boolean {
    for (const end = this.#ms + ms; this.#ms < end; ) {
      this.#ms += 250;
      this.instructions += instructions;
      this.quiet.look({
        timeNs: this.#ms * 1e6,
        runState: this.runState,
        contexts: [],
        harts: [{ index: 0, state: 'wfi', instructions: this.instructions, interrupts: 0, idleNs: 0 }],
        devices: [{ moving: false, queues: [{ requests: this.requests, bytesWritten: this.written }] }],
      } as unknown as BoardSnapshot);
    }
    return this.quiet.wantsSaving;
  }
  save(): void {
    this.quiet.saved(this.quiet.mark());
  }
}

function atPrompt(): Bench {
  const bench = new Bench();
  bench.quiet.wrote('Linux\r\nroot@here:~# ');
  return bench;
}

it('wants a snapshot when the guest rests at its prompt, not before', () => {
  const bench = new Bench();
  bench.quiet.wrote('Linux version 6.12\r\n');
  expect(bench.pass(5000)).toBe(false);
  bench.quiet.wrote('root@here:~# ');
  expect(bench.pass(500)).toBe(false);
  expect(bench.pass(1000)).toBe(true);
});

it('waits while the guest computes, does I/O, writes, is paused, or is typed to', () => {
  const bench = atPrompt();
  expect(bench.pass(5000, 50_000_000)).toBe(false);
  for (const disturb of [
    () => (bench.requests += 1),
    () => bench.quiet.wrote('x# '),
    () => bench.quiet.typed(),
  ]) {
    bench.pass(750);
    disturb();
    expect(bench.pass(750)).toBe(false);
  }
  bench.runState = 'paused';
  expect(bench.pass(5000)).toBe(false);
  bench.runState = 'running';
  expect(bench.pass(1500)).toBe(true);
});

it('wants another only when something has happened since', () => {
  const bench = atPrompt();
  bench.pass(1500);
  bench.save();
  expect(bench.pass(60_000)).toBe(false);
  // Reading the disk changes nothing that the snapshot is about.
  bench.requests += 1;
  expect(bench.pass(60_000)).toBe(false);
  bench.requests += 1;
  bench.written += 4096;
  expect(bench.pass(2000)).toBe(false);
  expect(bench.pass(2000)).toBe(true);
});

it('does not take a snapshot for one of what was typed while it was made', () => {
  const bench = atPrompt();
  bench.pass(1500);
  const mark = bench.quiet.mark();
  expect(bench.quiet.holds(mark)).toBe(true);
  bench.quiet.typed();
  expect(bench.quiet.holds(mark)).toBe(false);
});

it('goes on from a snapshot, whose counters go on as well', () => {
  const bench = new Bench();
  bench.written = 1e6;
  bench.quiet.resumed('root@here:~# ');
  expect(bench.pass(10_000)).toBe(false);
  bench.written += 512;
  expect(bench.pass(5000)).toBe(true);
});

it('after a reset there is no prompt until the guest shows one', () => {
  const bench = atPrompt();
  bench.pass(1500);
  bench.quiet.restart();
  expect(bench.pass(5000)).toBe(false);
});
