import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { raiseUsedBuffer } from '../env.ts';
import { VirtioFault } from '../fault.ts';
import { VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../layout.ts';
import {
  MMIO,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from '../spec.ts';
import { BlkMachine } from '../testing/blk-machine.ts';
import { RAM_BASE } from '../testing/test-machine.ts';

const errors = (m: BlkMachine): number[] => m.tracer.of(TRACE.virtio_error).map((args) => args[2] as number);
/** Negotiated, no queue set up yet. */
const negotiated = (): BlkMachine => {
  const m = new BlkMachine();
  m.driver.init({ queues: 0, stopBeforeDriverOk: true });
  return m;
};

describe('virtio-mmio registers', () => {
  it('identify the device (4.2.2)', () => {
    const { driver } = new BlkMachine();
    expect(driver.reg(MMIO.MagicValue)).toBe(0x74726976);
    expect(driver.reg(MMIO.Version)).toBe(2);
    expect(driver.reg(MMIO.DeviceID)).toBe(2);
    expect(driver.reg(MMIO.QueueNumMax)).toBe(256);
    expect(driver.reg(MMIO.SHMLenLow)).toBe(0xffff_ffff);
    expect(driver.reg(MMIO.SHMBaseHigh)).toBe(0xffff_ffff);
  });

  it('an empty slot has device id 0 and takes no writes', () => {
    const m = new BlkMachine();
    m.mem.store32(m.env.slotAddr + VirtioDeviceLayout.at.deviceId, 0);
    expect(m.driver.reg(MMIO.MagicValue)).toBe(0x74726976);
    expect(m.driver.reg(MMIO.DeviceID)).toBe(0);
    m.driver.setReg(MMIO.Status, STATUS_ACKNOWLEDGE);
    expect(m.driver.reg(MMIO.Status)).toBe(0);
    expect(m.driver.reg(MMIO.Config)).toBe(0);
  });

  it('offer features in two words and nothing beyond', () => {
    const { driver } = new BlkMachine();
    expect(driver.offered() & VIRTIO_F_VERSION_1).toBe(VIRTIO_F_VERSION_1);
    driver.setReg(MMIO.DeviceFeaturesSel, 2);
    expect(driver.reg(MMIO.DeviceFeatures)).toBe(0);
  });

  it('M1 registers want aligned 32-bit accesses; configuration any width', () => {
    const m = new BlkMachine().boot();
    expect(m.front.read(MMIO.MagicValue, 1)).toBe(0);
    expect(m.front.read(MMIO.MagicValue, 2)).toBe(0);
    expect(m.front.read(MMIO.MagicValue + 2, 4)).toBe(0);
    m.front.write(MMIO.Status, 1, 0);
    expect(m.driver.status & STATUS_DRIVER_OK).toBe(STATUS_DRIVER_OK);
    expect(errors(m)).toEqual(Array.from({ length: 4 }, () => VirtioFault.RegisterWidth));
    const capacity = 2048;
    expect(m.front.read(MMIO.Config, 4)).toBe(capacity);
    expect(m.front.read(MMIO.Config, 2)).toBe(capacity);
    expect(m.front.read(MMIO.Config + 1, 1)).toBe(capacity >> 8);
    // Beyond the end of the structure.
    expect(m.front.read(MMIO.Config + 58, 4)).toBe(0);
    expect(m.front.read(MMIO.Config + 252, 4)).toBe(0);
  });

  it('unknown and read-only registers read as zero and ignore writes', () => {
    const m = new BlkMachine().boot();
    for (const offset of [
      0x018, 0x028, 0x03c, 0x048, 0x054, 0x068, 0x074, 0x088, 0x098, 0x0a8, 0x0c4, 0x0f8,
    ]) {
      m.driver.setReg(offset, 0xffff_ffff);
      expect(m.driver.reg(offset)).toBe(0);
    }
    m.driver.setReg(MMIO.MagicValue, 0);
    m.driver.setReg(MMIO.InterruptStatus, 3);
    m.driver.setReg(MMIO.ConfigGeneration, 7);
    expect(m.driver.reg(MMIO.MagicValue)).toBe(0x74726976);
    expect(m.driver.reg(MMIO.InterruptStatus)).toBe(0);
    expect(m.driver.reg(MMIO.ConfigGeneration)).toBe(1); // FEATURES_OK settled the write cache
  });

  it('a queue that does not exist has no size and takes nothing', () => {
    const m = negotiated();
    m.driver.setReg(MMIO.QueueSel, 1);
    expect(m.driver.reg(MMIO.QueueNumMax)).toBe(0);
    m.driver.setReg(MMIO.QueueNum, 8);
    m.driver.setReg(MMIO.QueueReady, 1);
    expect(m.driver.reg(MMIO.QueueReady)).toBe(0);
    m.driver.setReg(MMIO.QueueSel, 0xffff_ffff);
    m.driver.setReg(MMIO.QueueReady, 1);
    m.driver.setReg(MMIO.QueueReset, 1);
    expect(m.driver.status & STATUS_NEEDS_RESET).toBe(0);
  });
});

describe('a queue being set up', () => {
  const GOOD = { size: 16, desc: RAM_BASE + 0x1000, driver: RAM_BASE + 0x2000, device: RAM_BASE + 0x3000 };
  it.each([
    ['size 0', { ...GOOD, size: 0 }, VirtioFault.QueueSize],
    ['a size that is not a power of two', { ...GOOD, size: 24 }, VirtioFault.QueueSize],
    ['a size over the maximum', { ...GOOD, size: 512 }, VirtioFault.QueueSize],
    ['a size of 2^31', { ...GOOD, size: 0x8000_0000 }, VirtioFault.QueueSize],
    ['a misaligned descriptor table', { ...GOOD, desc: GOOD.desc + 8 }, VirtioFault.RingMisaligned],
    ['a misaligned available ring', { ...GOOD, driver: GOOD.driver + 1 }, VirtioFault.RingMisaligned],
    ['a misaligned used ring', { ...GOOD, device: GOOD.device + 2 }, VirtioFault.RingMisaligned],
    ['a descriptor table below RAM', { ...GOOD, desc: 0 }, VirtioFault.RingOutsideRam],
    [
      'a used ring beyond RAM',
      { ...GOOD, device: RAM_BASE + 4 * 1024 * 1024 - 8 },
      VirtioFault.RingOutsideRam,
    ],
    ['an available ring far away', { ...GOOD, driver: 2 ** 62 }, VirtioFault.RingOutsideRam],
  ])('%s: the device needs a reset', (_name, { size, desc, driver, device }, fault) => {
    const m = negotiated();
    m.driver.writeQueue(0, size, desc, driver, device);
    m.driver.setReg(MMIO.QueueReady, 1);
    expect(errors(m)).toEqual([fault]);
    expect(m.driver.reg(MMIO.QueueReady)).toBe(0);
    expect(m.driver.status & STATUS_NEEDS_RESET).toBe(STATUS_NEEDS_RESET);
    // 2.1.2: no configuration change interrupt before DRIVER_OK.
    expect(m.line).toBe(false);
  });

  it('is not ready before FEATURES_OK', () => {
    const m = new BlkMachine();
    m.driver.reset();
    m.driver.setReg(MMIO.Status, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    m.driver.setUpQueue(0, 16);
    expect(m.driver.reg(MMIO.QueueReady)).toBe(0);
  });

  it('M2 its size and addresses are fixed while it is ready', () => {
    const m = new BlkMachine().boot({ queueSize: 16 });
    const at = virtQueueAddr(m.env.slotAddr, 0);
    const before = m.mem.bytes(at, 32).slice();
    m.driver.writeQueue(0, 32, RAM_BASE, RAM_BASE, RAM_BASE);
    expect(m.mem.bytes(at, 32)).toEqual(before);
    expect(errors(m)).toEqual(Array.from({ length: 7 }, () => VirtioFault.QueueLive));
    const read = m.addRead(0, 512);
    expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
  });

  it('M2 features are fixed after FEATURES_OK', () => {
    const m = new BlkMachine().boot();
    const features = m.device.features;
    m.driver.setReg(MMIO.DriverFeaturesSel, 0);
    m.driver.setReg(MMIO.DriverFeatures, 0);
    expect(m.device.features).toBe(features);
  });
});

describe('a kick', () => {
  it('M3 before DRIVER_OK raises nothing; what was available is found at DRIVER_OK (D2, V6)', () => {
    const m = new BlkMachine();
    m.driver.init({ stopBeforeDriverOk: true, queueSize: 16 });
    const read = m.addRead(0, 512);
    m.driver.queue().publish();
    m.driver.setReg(MMIO.QueueNotify, 0);
    m.run();
    expect(m.notifiers[0]?.isSet()).toBe(false);
    expect(errors(m)).toEqual([VirtioFault.KickNotReady]);
    expect(m.statusOf(read)).toBe(0xff);
    m.driver.setReg(MMIO.Status, m.driver.status | STATUS_DRIVER_OK);
    m.run();
    expect(m.statusOf(read)).toBe(0);
  });

  it.each([1, 15, 16, 0x1_0000, 0xffff_ffff])(
    'M3 of queue %i, which does not exist, does nothing',
    (queue) => {
      const m = new BlkMachine().boot();
      m.driver.setReg(MMIO.QueueNotify, queue);
      expect(errors(m)).toEqual([VirtioFault.QueueOutOfRange]);
      expect(m.notifiers.some((notifier) => notifier.isSet())).toBe(false);
    },
  );

  it('M3 of a queue that was made not ready does nothing', () => {
    const m = new BlkMachine().boot();
    m.driver.setReg(MMIO.QueueSel, 0);
    m.driver.setReg(MMIO.QueueReady, 0);
    expect(m.driver.reg(MMIO.QueueReady)).toBe(0);
    m.driver.setReg(MMIO.QueueNotify, 0);
    expect(errors(m)).toEqual([VirtioFault.KickNotReady]);
    expect(m.device.isServing(0)).toBe(false);
  });

  it('is counted, and traced with the available index', () => {
    const m = new BlkMachine().boot();
    m.addRead(0, 512);
    m.addRead(9, 512);
    m.driver.kick();
    expect(m.tracer.of(TRACE.virtio_queue_notify)).toEqual([[m.env.dev, 0, 2]]);
    expect(m.mem.load32(virtQueueAddr(m.env.slotAddr, 0) + VirtQueueLayout.at.kicks)).toBe(1);
  });
});

describe('interrupts', () => {
  it('the line falls when the last bit is acknowledged', () => {
    const m = new BlkMachine().boot();
    raiseUsedBuffer(m.env);
    m.device.changeConfig(m.model.capacityChange(512 * 4));
    expect(m.driver.reg(MMIO.InterruptStatus)).toBe(3);
    m.driver.setReg(MMIO.InterruptACK, 1);
    expect(m.line).toBe(true);
    m.driver.setReg(MMIO.InterruptACK, 0xffff_fffe);
    expect(m.line).toBe(false);
    expect(m.driver.reg(MMIO.InterruptStatus)).toBe(0);
  });

  it('acknowledging nothing changes nothing', () => {
    const m = new BlkMachine().boot();
    m.driver.setReg(MMIO.InterruptACK, 3);
    expect(m.line).toBe(false);
    expect(m.tracer.of(TRACE.virtio_mmio_setting_irq).filter((args) => args[1] === 1)).toEqual([]);
  });

  it('I1 a bit set between an acknowledgement and the fall of the line raises it again', () => {
    const m = new BlkMachine().boot();
    raiseUsedBuffer(m.env);
    // Another thread sets a bit at the very moment the line is lowered.
    const { irq } = m.env;
    const lower = irq.lower;
    let raced = false;
    (irq as { lower: () => void }).lower = () => {
      if (!raced) {
        raced = true;
        raiseUsedBuffer(m.env);
      }
      lower();
    };
    m.driver.setReg(MMIO.InterruptACK, 1);
    expect(raced).toBe(true);
    expect(m.line).toBe(true);
    expect(m.driver.reg(MMIO.InterruptStatus)).toBe(1);
  });

  it('I1 an acknowledgement between setting a bit and raising the line lowers it again', () => {
    const m = new BlkMachine().boot();
    const { irq } = m.env;
    const raise = irq.raise;
    let raced = false;
    (irq as { raise: () => void }).raise = () => {
      if (!raced) {
        raced = true;
        m.driver.setReg(MMIO.InterruptACK, 1);
      }
      raise();
    };
    raiseUsedBuffer(m.env);
    expect(raced).toBe(true);
    expect(m.line).toBe(false);
  });

  it('re-entry: kicks and acknowledgements from inside the interrupt handler lose nothing', () => {
    const m = new BlkMachine().boot({ refuse: VIRTIO_F_RING_EVENT_IDX, queueSize: 16 });
    let done = 0;
    const { irq } = m.env;
    const raise = irq.raise;
    (irq as { raise: () => void }).raise = () => {
      raise();
      m.driver.interrupt();
      done += m.driver.queue().takeUsed().length;
      if (done < 20) {
        m.addRead(done, 512);
        m.driver.kick();
      }
    };
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    expect(done).toBe(20);
    expect(errors(m)).toEqual([]);
  });
});

describe('QueueReset (VIRTIO_F_RING_RESET)', () => {
  it('stops one queue and lets it be set up anew while the device runs', () => {
    const m = new BlkMachine({ config: { numQueues: 2 } }).boot({ queueSize: 16 });
    m.disk.manual = true;
    const lost = m.addRead(0, 512, { queue: 1 });
    m.driver.kick(1);
    m.run();
    m.controlMayWait = true;
    m.driver.setReg(MMIO.QueueSel, 1);
    m.driver.setReg(MMIO.QueueReset, 1);
    // D3: not over while a request is in flight.
    expect(m.driver.reg(MMIO.QueueReady)).toBe(0);
    expect(m.device.isServing(1)).toBe(false);
    m.disk.finish();
    m.run();
    expect(m.statusOf(lost)).toBe(0);
    expect(m.driver.reg(MMIO.QueueReset)).toBe(0);
    expect(m.mem.load32(virtQueueAddr(m.env.slotAddr, 1) + VirtQueueLayout.at.size)).toBe(0);
    m.disk.manual = false;
    m.driver.setUpQueue(1, 8);
    const read = m.addRead(0, 512, { queue: 1 });
    expect(m.turn(1)).toEqual([{ token: read.token, length: 513 }]);
    const other = m.addRead(0, 512);
    expect(m.turn(0)).toEqual([{ token: other.token, length: 513 }]);
  });

  it('does nothing where it was not negotiated', () => {
    const m = new BlkMachine().boot({ refuse: VIRTIO_F_RING_RESET });
    m.driver.setReg(MMIO.QueueSel, 0);
    m.driver.setReg(MMIO.QueueReset, 1);
    expect(m.driver.reg(MMIO.QueueReady)).toBe(1);
    expect(errors(m)).toEqual([VirtioFault.FeaturesRefused]);
  });
});

describe('Status', () => {
  it('0x40 alone is not a reset', () => {
    const m = new BlkMachine().boot();
    m.driver.setReg(MMIO.Status, STATUS_NEEDS_RESET);
    expect(m.driver.status).toBe(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
  });
});
