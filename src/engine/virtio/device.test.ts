import { describe, expect, it } from 'vitest';
import { TRACE } from '../trace/schema.ts';
import { configGeneration } from './config-space.ts';
import { deviceLife } from './device.ts';
import { failDevice } from './env.ts';
import { VirtioFault } from './fault.ts';
import { VirtioDeviceLayout } from './layout.ts';
import {
  MMIO,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FAILED,
  STATUS_FEATURES_OK,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from './spec.ts';
import { BlkMachine } from './testing/blk-machine.ts';

describe('feature negotiation', () => {
  it.each([
    ['without VERSION_1', (offered: bigint) => offered & ~VIRTIO_F_VERSION_1],
    ['with a bit that was not offered', (offered: bigint) => offered | VIRTIO_F_RING_PACKED],
    ['with all bits', () => (1n << 64n) - 1n],
  ])('D1 %s leaves FEATURES_OK clear, and DRIVER_OK has no effect', (_name, choose) => {
    const m = new BlkMachine();
    m.driver.reset();
    m.driver.setReg(MMIO.Status, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    expect(m.driver.negotiate(choose(m.driver.offered()))).toBe(false);
    m.driver.setReg(MMIO.Status, m.driver.status | STATUS_DRIVER_OK);
    expect(m.driver.status).toBe(STATUS_ACKNOWLEDGE | STATUS_DRIVER);
  });

  it('D1 a subset is accepted', () => {
    const m = new BlkMachine();
    m.driver.reset();
    expect(m.driver.negotiate(VIRTIO_F_VERSION_1)).toBe(true);
  });
});

describe('the life of a device', () => {
  it('is read from its status', () => {
    expect(deviceLife(0)).toBe('reset');
    expect(deviceLife(3)).toBe('negotiating');
    expect(deviceLife(11)).toBe('features-ok');
    expect(deviceLife(15)).toBe('running');
    expect(deviceLife(15 | 64)).toBe('needs-reset');
    expect(deviceLife(15 | 64 | 128)).toBe('failed');
  });

  it('bits are never taken back but by a reset', () => {
    const m = new BlkMachine().boot();
    m.driver.setReg(MMIO.Status, STATUS_ACKNOWLEDGE);
    expect(m.driver.status & STATUS_FEATURES_OK).toBe(STATUS_FEATURES_OK);
    m.driver.setReg(MMIO.Status, STATUS_FAILED);
    expect(m.device.life).toBe('failed');
    m.driver.setReg(MMIO.Status, 0);
    expect(m.driver.status).toBe(0);
  });

  it('D3 a reset waits for what is in flight', () => {
    const m = new BlkMachine().boot();
    m.disk.manual = true;
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    m.controlMayWait = true;
    m.driver.setReg(MMIO.Status, 0);
    expect(m.driver.status).not.toBe(0);
    m.disk.finish();
    m.run();
    expect(m.driver.status).toBe(0);
    expect(m.loops[0]?.handlerCount).toBe(0);
    expect(m.line).toBe(false);
  });

  it('D4 requests are carried out in order, each after the one before is over', () => {
    const m = new BlkMachine().boot();
    m.disk.manual = true;
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    const order: string[] = [];
    m.device.reset(() => order.push('reset'));
    m.device.control({ op: 1, dev: 3, queue: 0, offset: 0, size: 0, value: STATUS_ACKNOWLEDGE }, () =>
      order.push(`status ${m.driver.status}`),
    );
    m.device.exclusive((release) => {
      order.push('task');
      release();
    });
    expect(order).toEqual([]);
    m.disk.finish();
    m.run();
    expect(order).toEqual(['reset', `status ${STATUS_ACKNOWLEDGE}`, 'task']);
  });

  it('D4 a task holds requests off until it releases', () => {
    const m = new BlkMachine().boot();
    let release = (): void => {};
    m.device.exclusive((end) => {
      release = end;
    });
    let reset = false;
    m.device.reset(() => {
      reset = true;
    });
    expect(reset).toBe(false);
    release();
    expect(reset).toBe(true);
  });

  it('a fault is told once, and forgotten at reset', () => {
    const m = new BlkMachine().boot();
    failDevice(m.env, 0, VirtioFault.AvailJump);
    failDevice(m.env, 0, VirtioFault.ChainLoop);
    expect(m.rises).toBe(1);
    expect(m.mem.load32(m.env.slotAddr + VirtioDeviceLayout.at.fault)).toBe(VirtioFault.AvailJump);
    m.boot();
    expect(m.mem.load32(m.env.slotAddr + VirtioDeviceLayout.at.fault)).toBe(0);
    expect(m.device.life).toBe('running');
  });

  it('each status is traced', () => {
    const m = new BlkMachine();
    m.driver.init();
    expect(m.tracer.of(TRACE.virtio_set_status).map((args) => args[1])).toEqual([0, 1, 3, 11, 15]);
  });
});

describe('configuration space', () => {
  it('C1 a change is one new generation, and the driver is interrupted', () => {
    const m = new BlkMachine().boot();
    const before = m.driver.reg(MMIO.ConfigGeneration);
    m.device.changeConfig(m.model.capacityChange(0x200_0000_0000));
    expect(m.driver.reg(MMIO.ConfigGeneration)).toBe(before + 1);
    expect(m.driver.reg(MMIO.Config + 4)).toBe(1);
    expect(m.driver.interrupt()).toEqual({ used: false, config: true });
  });

  it('C1 the generation can’t be read in the middle of a change', () => {
    const m = new BlkMachine().boot();
    const { configChanging } = VirtioDeviceLayout.at;
    m.mem.store32(m.env.slotAddr + configChanging, 1);
    const load32 = m.mem.load32.bind(m.mem);
    let looks = 0;
    m.mem.load32 = (addr) => {
      // The other thread ends its change while this one waits.
      if (addr === m.env.slotAddr + configChanging && ++looks === 5) m.mem.store32(addr, 0);
      return load32(addr);
    };
    m.driver.reg(MMIO.ConfigGeneration);
    expect(looks).toBe(5);
  });

  it('before DRIVER_OK a change interrupts nobody', () => {
    const m = new BlkMachine();
    m.driver.init({ stopBeforeDriverOk: true });
    m.device.changeConfig(m.model.capacityChange(512));
    expect(m.line).toBe(false);
    expect(configGeneration(m.mem, m.env.slotAddr)).toBeGreaterThan(0);
  });

  it('writes of any width and place by the driver do no harm', () => {
    const m = new BlkMachine().boot();
    const capacity = m.driver.reg(MMIO.Config);
    for (const size of [1, 2, 4, 8, 3]) {
      for (let offset = 0; offset < 0x110; offset += size) {
        m.front.write(MMIO.Config + offset, size, 0xa5a5_a5a4);
      }
    }
    expect(m.driver.reg(MMIO.Config)).toBe(capacity);
    // The one field a driver may write, and it took its lowest bit.
    expect(m.front.read(MMIO.Config + 32, 1)).toBe(0);
    const read = m.addRead(0, 512);
    expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
  });
});
