import { expect, test } from 'vitest';
import { SharedMemory } from './shared-memory.ts';
import { ViewCache } from './view-cache.ts';

const memory = (): SharedMemory =>
  new SharedMemory(new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true }));

test('the same place and length is the same view; another length or place is another', () => {
  const views = new ViewCache(memory());
  const view = views.at(4096, 512);
  expect(views.at(4096, 512)).toBe(view);
  expect(views.at(4096, 1024).length).toBe(1024);
  expect(views.at(8192, 512).byteOffset).toBe(8192);
});

test('whatever was asked before, a view is where it was asked for', () => {
  const mem = memory();
  const views = new ViewCache(mem);
  let seed = 1;
  for (let i = 0; i < 20_000; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const addr = (seed % 4000) & ~15;
    const bytes = 16 + ((seed >>> 16) & 3) * 16;
    const view = views.at(addr * 1024, bytes);
    expect([view.byteOffset, view.byteLength, view.buffer === mem.buffer]).toEqual([
      addr * 1024,
      bytes,
      true,
    ]);
  }
});
