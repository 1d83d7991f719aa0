import { beforeEach, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { awakeThreads } from './awake-threads.ts';
import { CONTEXT_STATE, ContextBlockLayout } from './context-block.ts';
import { HART_STATE, HartControl } from './run-control.ts';
import { layoutMachine } from './shared-layout.ts';

const layout = layoutMachine({ ramBytes: 1 << 20, harts: 2 });
let mem: SharedMemory;
let harts: HartControl[];

beforeEach(() => {
  const pages = Math.ceil(layout.totalBytes / 0x1_0000);
  mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  harts = layout.hartControls.map((addr) => new HartControl(mem, addr));
});

const context = (index: number, state: keyof typeof CONTEXT_STATE): void =>
  mem.store32((layout.contexts[index] as number) + ContextBlockLayout.at.state, CONTEXT_STATE[state]);

it('counts contexts that dispatch or poll', () => {
  context(0, 'blocked');
  context(1, 'dispatching');
  context(2, 'polling');
  context(3, 'held');
  context(4, 'yielded');
  expect(awakeThreads(mem, layout)).toBe(2);
});

it('counts harts that execute, and those that spin in WFI', () => {
  harts[0]?.set('state', HART_STATE.running);
  harts[1]?.set('state', HART_STATE.wfi);
  expect(awakeThreads(mem, layout)).toBe(1);
  harts[1]?.set('polling', 1);
  expect(awakeThreads(mem, layout)).toBe(2);
});
