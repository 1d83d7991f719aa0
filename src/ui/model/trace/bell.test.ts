import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../../engine/base/shared-memory.ts';
import { Bell } from './bell.ts';

const ADDR = 64;

function rig() {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  let rung = 0;
  let heard: () => void = () => {};
  const bell = new Bell(mem, ADDR, () => {
    rung++;
    heard();
  });
  const ring = (): void => {
    mem.add32(ADDR, 1);
    mem.notify32(ADDR);
  };
  return { mem, bell, ring, next: () => new Promise<void>((resolve) => (heard = resolve)), rung: () => rung };
}

describe('Bell', () => {
  it('says where it can’t be heard', () => {
    const { mem, bell } = rig();
    expect(bell.isHeard).toBe(true);
    mem.waitAsync32 = () => undefined;
    expect(new Bell(mem, ADDR, () => {}).isHeard).toBe(false);
  });

  it('is heard each time', async () => {
    const { ring, next, rung } = rig();
    for (let i = 1; i <= 3; i++) {
      const heard = next();
      ring();
      await heard;
      expect(rung()).toBe(i);
    }
  });

  it('nobody waits for it once it is closed, nor hears it', async () => {
    const { mem, bell, ring, rung } = rig();
    bell.close();
    ring();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect([rung(), mem.notify32(ADDR)]).toEqual([0, 0]);
  });
});
