import { describe, expect, it } from 'vitest';
import { VirtQueueLayout, virtQueueAddr } from '../layout.ts';
import { BlkMachine } from '../testing/blk-machine.ts';
import { waitingBuffers } from './waiting.ts';

describe.each([
  ['split', false],
  ['packed', true],
] as const)('buffers that wait in a %s ring', (_name, packed) => {
  it('are those made available and not taken, wherever the ring has wrapped to', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 8 });
    const waiting = () => waitingBuffers(m.env.mem, m.env.ram, virtQueueAddr(m.env.slotAddr, 0), packed);
    for (let round = 0; round < 5; round++) {
      expect(waiting()).toBe(0);
      for (let i = 1; i <= 2; i++) {
        m.addRead(i * 8, 512);
        m.driver.kick();
        expect(waiting()).toBe(i);
      }
      m.turn();
    }
  });

  it('are unknown when the ring is not in RAM', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 8 });
    const addr = virtQueueAddr(m.env.slotAddr, 0);
    m.env.mem.store32(addr + VirtQueueLayout.at[packed ? 'descHigh' : 'driverHigh'], 7);
    expect(waitingBuffers(m.env.mem, m.env.ram, addr, packed)).toBeUndefined();
  });
});
