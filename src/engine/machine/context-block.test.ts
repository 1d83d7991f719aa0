import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { ContextBlockLayout, publishSources, readSources } from './context-block.ts';

const BLOCK = 1024;
const { at } = ContextBlockLayout;
const make = (): SharedMemory =>
  new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));

/** A writer gets in between, once or for ever, each time a reader has read the length. */
class RacedMemory extends SharedMemory {
  between: (() => void) | undefined;
  override load32(addr: number): number {
    const value = super.load32(addr);
    if (addr === BLOCK + at.sourcesLength) this.between?.();
    return value;
  }
}

describe('the text of a context', () => {
  it('is nothing before the first, then the last published', () => {
    const mem = make();
    expect(readSources(mem, BLOCK)).toBeUndefined();
    publishSources(mem, BLOCK, [{ name: 'ctx0/aio' }]);
    publishSources(mem, BLOCK, [{ name: 'größer than ASCII: ✓ 🙂' }]);
    expect(readSources(mem, BLOCK)).toEqual([{ name: 'größer than ASCII: ✓ 🙂' }]);
  });

  it('that is too long is refused, and the old one stays', () => {
    const mem = make();
    expect(publishSources(mem, BLOCK, ['old'])).toBe(true);
    expect(publishSources(mem, BLOCK, ['x'.repeat(9000)])).toBe(false);
    expect(readSources(mem, BLOCK)).toEqual(['old']);
    // Escapes count: 2000 characters of 6 bytes each do not fit either.
    expect(publishSources(mem, BLOCK, ['ö'.repeat(2000)])).toBe(false);
    expect(publishSources(mem, BLOCK, ['ö'.repeat(1000)])).toBe(true);
  });

  it('of which a reader saw the beginning is read anew', () => {
    const mem = new RacedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    publishSources(mem, BLOCK, ['first']);
    mem.between = () => {
      mem.between = undefined;
      publishSources(mem, BLOCK, ['second, and longer']);
    };
    expect(readSources(mem, BLOCK)).toEqual(['second, and longer']);
  });

  it('that never holds still is given up, and so is one half written', () => {
    const mem = new RacedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    publishSources(mem, BLOCK, ['text']);
    let n = 0;
    mem.between = () => {
      const { between } = mem;
      mem.between = undefined;
      publishSources(mem, BLOCK, ['text', n++]);
      mem.between = between;
    };
    expect(readSources(mem, BLOCK)).toBeUndefined();
    expect(n).toBeGreaterThan(1);
    mem.between = undefined;
    mem.add32(BLOCK + at.sourcesSeq, 1);
    expect(readSources(mem, BLOCK)).toBeUndefined();
  });
});
