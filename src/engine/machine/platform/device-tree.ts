import { GiB } from '../../base/brands.ts';
import type { FdtNode } from './fdt.ts';
import { cells64, writeFdt } from './fdt.ts';
import {
  VIRT_CLINT,
  VIRT_DRAM,
  VIRT_PLIC,
  VIRT_PLIC_SOURCES,
  VIRT_RTC,
  VIRT_TEST,
  VIRT_TIMEBASE_HZ,
  VIRT_UART0,
  VIRT_VIRTIO,
  virtioSlotAddr,
  virtioSlotIrq,
} from './memory-map.ts';

/** What differs from one `virt` board to another. */
export interface DeviceTreeConfig {
  readonly ramBytes: number;
  readonly harts: number;
  /** Extensions beyond `i`, in canonical order: single letters first ('m', …), then 'zicsr', …, then 'sstc', …. */
  readonly isaExtensions: readonly string[];
  /** Largest address translation the harts have. */
  readonly mmu: 'sv39' | 'sv48' | 'sv57';
  /** The kernel's command line, `-append`. */
  readonly bootargs?: string;
  /** Guest addresses of the initial ramdisk: first byte, and the byte behind the last. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Entropy that makes the kernel's generator ready at once. */
  readonly rngSeed?: Uint8Array;
}

// Interrupts of a hart's local controller, by mcause number.
const IRQ_M_SOFT = 3;
const IRQ_M_TIMER = 7;
const IRQ_S_EXT = 9;
const IRQ_M_EXT = 11;

const PHANDLE_PLIC = 1;
const PHANDLE_TEST = 2;
const phandleCpu = (hart: number): number => 3 + 2 * hart;
const phandleIntc = (hart: number): number => 4 + 2 * hart;

const hex = (n: number): string => n.toString(16);
const reg = (base: number, size: number): number[] => [...cells64(base), ...cells64(size)];

/** The tree QEMU gives its `virt` machine, as far as this board has the devices. */
export function deviceTree(config: DeviceTreeConfig): FdtNode {
  const harts = Array.from({ length: config.harts }, (_, hart) => hart);
  const onPlic = (irq: number) => ({ interrupts: [irq], 'interrupt-parent': [PHANDLE_PLIC] });
  const single = config.isaExtensions.filter((extension) => extension.length === 1);
  const multi = config.isaExtensions.filter((extension) => extension.length > 1);

  const cpu = (hart: number): FdtNode => ({
    properties: {
      phandle: [phandleCpu(hart)],
      device_type: 'cpu',
      reg: [hart],
      status: 'okay',
      compatible: 'riscv',
      // Kernels before 6.6 know the first, later ones prefer the other two; without either they panic silently.
      'riscv,isa': `rv64i${single.join('')}${multi.map((extension) => `_${extension}`).join('')}`,
      'riscv,isa-base': 'rv64i',
      'riscv,isa-extensions': ['i', ...config.isaExtensions],
      'mmu-type': `riscv,${config.mmu}`,
    },
    children: {
      'interrupt-controller': {
        properties: {
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
          phandle: [phandleIntc(hart)],
        },
      },
    },
  });

  const soc: Record<string, FdtNode> = {
    [`rtc@${hex(VIRT_RTC.base)}`]: {
      properties: {
        ...onPlic(VIRT_RTC.irq),
        reg: reg(VIRT_RTC.base, VIRT_RTC.size),
        compatible: 'google,goldfish-rtc',
      },
    },
    [`serial@${hex(VIRT_UART0.base)}`]: {
      properties: {
        ...onPlic(VIRT_UART0.irq),
        'clock-frequency': [3_686_400],
        reg: reg(VIRT_UART0.base, VIRT_UART0.size),
        compatible: 'ns16550a',
      },
    },
    [`test@${hex(VIRT_TEST.base)}`]: {
      properties: {
        phandle: [PHANDLE_TEST],
        reg: reg(VIRT_TEST.base, VIRT_TEST.size),
        compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
      },
    },
  };
  // From the highest slot down, as QEMU lists them: Linux names disks in this order.
  for (let slot = VIRT_VIRTIO.count - 1; slot >= 0; slot--) {
    soc[`virtio_mmio@${hex(virtioSlotAddr(slot))}`] = {
      properties: {
        ...onPlic(virtioSlotIrq(slot)),
        reg: reg(virtioSlotAddr(slot), VIRT_VIRTIO.size),
        compatible: 'virtio,mmio',
      },
    };
  }
  soc[`plic@${hex(VIRT_PLIC.base)}`] = {
    properties: {
      phandle: [PHANDLE_PLIC],
      'riscv,ndev': [VIRT_PLIC_SOURCES - 1],
      reg: reg(VIRT_PLIC.base, VIRT_PLIC.size),
      'interrupts-extended': harts.flatMap((h) => [phandleIntc(h), IRQ_M_EXT, phandleIntc(h), IRQ_S_EXT]),
      'interrupt-controller': true,
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      '#address-cells': [0],
      '#interrupt-cells': [1],
    },
  };
  soc[`clint@${hex(VIRT_CLINT.base)}`] = {
    properties: {
      'interrupts-extended': harts.flatMap((h) => [phandleIntc(h), IRQ_M_SOFT, phandleIntc(h), IRQ_M_TIMER]),
      reg: reg(VIRT_CLINT.base, VIRT_CLINT.size),
      compatible: ['sifive,clint0', 'riscv,clint0'],
    },
  };

  return {
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'riscv-virtio',
      model: 'riscv-virtio,qemu',
    },
    children: {
      chosen: {
        properties: {
          'stdout-path': `/soc/serial@${hex(VIRT_UART0.base)}`,
          ...(config.bootargs !== undefined && { bootargs: config.bootargs }),
          ...(config.initrd && {
            'linux,initrd-start': cells64(config.initrd.start),
            'linux,initrd-end': cells64(config.initrd.end),
          }),
          ...(config.rngSeed && { 'rng-seed': config.rngSeed }),
        },
      },
      poweroff: syscon('syscon-poweroff', 0x5555),
      reboot: syscon('syscon-reboot', 0x7777),
      [`memory@${hex(VIRT_DRAM.base)}`]: {
        properties: { device_type: 'memory', reg: reg(VIRT_DRAM.base, config.ramBytes) },
      },
      cpus: {
        properties: {
          '#address-cells': [1],
          '#size-cells': [0],
          'timebase-frequency': [VIRT_TIMEBASE_HZ],
        },
        children: {
          ...Object.fromEntries(harts.map((hart) => [`cpu@${hex(hart)}`, cpu(hart)])),
          'cpu-map': {
            properties: {},
            children: {
              cluster0: {
                properties: {},
                children: Object.fromEntries(
                  harts.map((hart) => [`core${hart}`, { properties: { cpu: [phandleCpu(hart)] } }]),
                ),
              },
            },
          },
        },
      },
      soc: {
        properties: { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true },
        children: soc,
      },
    },
  };
}

const syscon = (compatible: string, value: number): FdtNode => ({
  properties: { value: [value], offset: [0], regmap: [PHANDLE_TEST], compatible },
});

/** The tree as a blob for the guest. */
export const buildDeviceTree = (config: DeviceTreeConfig): Uint8Array<ArrayBuffer> =>
  writeFdt(deviceTree(config));

/** RAM beyond this would not fit one WebAssembly memory beside the machine's own state. */
export const VIRT_MAX_RAM = 3 * GiB;
