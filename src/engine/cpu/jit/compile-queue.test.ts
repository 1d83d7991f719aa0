import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../base/shared-memory.ts';
import { PAGE_COPY, PAGE_GENERATION, PAGE_HEAT, PAGE_OPS, PAGE_RAM, PAGE_SAMPLES } from '../layout.ts';
import { Code } from './asm/code.ts';
import {
  COMPILE_QUEUE_BYTES,
  CompileClient,
  CompilerLayout,
  CompileServer,
  LENT_SLOTS,
} from './compile-queue.ts';
import type { Draft } from './drafts.ts';

const COMPILER = 64;
const QUEUE = 4096;
const PAGE = QUEUE + COMPILE_QUEUE_BYTES;
const DRAFT: Omit<Draft, 'slot'> = {
  page: PAGE,
  ram: 0x8000_1000,
  generation: 3,
  entries: [0, 8, 4094],
  instructions: 12,
  code: new Code([]),
};

function rig() {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 12, maximum: 12, shared: true }));
  mem.u32[(PAGE + PAGE_RAM) >>> 2] = 0x8000_1000;
  mem.u32[(PAGE + PAGE_GENERATION) >>> 2] = 3;
  mem.u32[(PAGE + PAGE_HEAT) >>> 2] = 700;
  mem.u16[(PAGE + PAGE_SAMPLES + 2) >>> 1] = 0x123;
  mem.u8[PAGE + PAGE_COPY + 4] = 0x13;
  mem.u8[PAGE + PAGE_COPY + 5] = 0x05;
  mem.u8[PAGE + PAGE_OPS + 4 * 4] = 9;
  let slots = 0;
  const client = new CompileClient(mem, { queue: QUEUE, compiler: COMPILER });
  const server = new CompileServer(mem, QUEUE, (halfword) => halfword + 1);
  const post = (flushes = 0): string => client.post(PAGE, flushes, () => slots++);
  const open = (): void => mem.store32(COMPILER + CompilerLayout.at.serving, 1);
  return { mem, client, server, post, open, slots: () => slots };
}

describe('the queue between a hart and the compiler', () => {
  it('takes nothing, no slot either, while there is no compiler', () => {
    const { post, server, slots } = rig();
    expect(post()).toBe('absent');
    expect(slots()).toBe(0);
    expect(server.takeJob()).toBeUndefined();
  });

  it('hands a page over as it was, whatever becomes of it', () => {
    const { mem, post, open, server } = rig();
    open();
    expect(post(5)).toBe('posted');
    mem.u32[(PAGE + PAGE_GENERATION) >>> 2] = 4;
    mem.u8.fill(0xff, PAGE + PAGE_COPY, PAGE + PAGE_COPY + 4096);
    mem.u8.fill(0, PAGE + PAGE_OPS, PAGE + PAGE_OPS + 4096);
    const job = server.takeJob();
    expect(job?.hot).toMatchObject({ page: PAGE, ram: 0x8000_1000, generation: 3, heat: 700 });
    expect(job?.flushes).toBe(5);
    expect(job?.hot.sample(1)).toBe(0x123);
    expect(job?.hot.code.halfword(4)).toBe(0x0513);
    expect([2, 4, 6].map((offset) => job?.hot.code.decoded(offset))).toEqual([false, true, false]);
    expect(job?.hot.code.expand(7)).toBe(8);
    expect(server.takeJob()).toBeUndefined();
  });

  it('refuses jobs when the compiler is behind, and takes them again when it has caught up', () => {
    const { post, open, server } = rig();
    open();
    let posted = 0;
    while (post() === 'posted') posted++;
    expect(posted).toBe(16);
    for (let i = 0; i < 3; i++) expect(server.takeJob()).toBeDefined();
    expect([post(), post(), post(), post()]).toEqual(['posted', 'posted', 'posted', 'behind']);
    let taken = 0;
    while (server.takeJob() !== undefined) taken++;
    expect(taken).toBe(16);
  });

  it('lends slots up to a limit, and makes good for those that came back as units', () => {
    const { client, post, open, server } = rig();
    open();
    post();
    post();
    const lent = [server.takeJob(), server.takeJob()].flatMap((job) => job?.slots ?? []);
    expect(lent).toEqual(Array.from({ length: LENT_SLOTS }, (_, i) => i));
    server.put(
      [
        { ...DRAFT, slot: 31 },
        { ...DRAFT, slot: 30 },
      ],
      new Uint8Array([1, 2, 3]),
    );
    expect(client.take()?.units.map(({ slot }) => slot)).toEqual([31, 30]);
    post();
    expect(server.takeJob()?.slots).toEqual([32, 33]);
  });

  it('brings a module back, one at a time', () => {
    const { client, open, server } = rig();
    open();
    expect(client.take()).toBeUndefined();
    expect(server.hasRoom).toBe(true);
    expect(server.put([{ ...DRAFT, slot: 7 }], new Uint8Array([0, 0x61, 0x73, 0x6d]))).toBe(true);
    expect(server.hasRoom).toBe(false);
    const { code: _, ...unit } = DRAFT;
    expect(client.take()).toEqual({
      units: [{ ...unit, slot: 7 }],
      bytes: new Uint8Array([0, 0x61, 0x73, 0x6d]),
    });
    expect(server.hasRoom).toBe(true);
    expect(client.take()).toBeUndefined();
  });

  it('writes nothing of a module that is too large', () => {
    const { client, open, server } = rig();
    open();
    expect(server.put([{ ...DRAFT, slot: 7 }], new Uint8Array(600 * 1024))).toBe(false);
    expect(server.hasRoom).toBe(true);
    expect(client.take()).toBeUndefined();
  });
});
