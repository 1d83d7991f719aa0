import { MiB } from '../base/brands.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { SupervisorHost } from '../host.ts';
import type { MachineConfig } from '../qom/options/config.ts';
import type { DeviceTreeConfig } from './platform/device-tree.ts';
import { identifyKernel } from './platform/kernel-image.ts';
import { type BootPlan, type Firmware, planBoot } from './platform/loader.ts';
import { VIRT_DRAM } from './platform/memory-map.ts';

/** What the harts implement beyond `i`, in canonical order, as the device tree says it. */
const ISA_EXTENSIONS = ['m', 'a', 'f', 'd', 'c', 'zicntr', 'zicsr', 'zifencei'] as const;
const RNG_SEED_BYTES = 32;

async function readBootFile(
  option: string,
  file: string | undefined,
  host: SupervisorHost,
): Promise<Result<Uint8Array | undefined>> {
  if (file === undefined) return ok(undefined);
  const bytes = await host.readFile(file);
  if (bytes !== undefined) return ok(bytes);
  return userError(`-${option} ${file}: no such file`, {
    hint: host.kind === 'browser' ? 'Import the file in the Images panel first.' : 'Check the path.',
  });
}

async function readFirmware(bios: string | undefined, host: SupervisorHost): Promise<Result<Firmware>> {
  if (bios === undefined || bios === 'default') return ok({ kind: 'built-in' });
  if (bios === 'none') return ok({ kind: 'none' });
  const bytes = await readBootFile('bios', bios, host);
  if (!bytes.ok) return bytes;
  const image = identifyKernel(bytes.value as Uint8Array, `-bios ${bios}`);
  return image.ok ? ok({ kind: 'file', image: image.value }) : image;
}

function treeConfig(config: MachineConfig, host: SupervisorHost): Omit<DeviceTreeConfig, 'initrd'> {
  const { features } = config.cpu;
  const rngSeed = new Uint8Array(RNG_SEED_BYTES);
  host.randomBytes(rngSeed);
  return {
    ramBytes: config.memoryBytes,
    harts: config.smp,
    isaExtensions: [...ISA_EXTENSIONS, ...(features.sstc === false ? [] : ['sstc'])],
    mmu: features.sv48 === false ? 'sv39' : 'sv48',
    rngSeed,
    ...(config.boot.append === undefined ? {} : { bootargs: config.boot.append }),
  };
}

/**
 * Reads the files a configuration boots from and decides where everything goes. A file that is missing or is
 * not what its option asks for is a user's mistake. Supervising thread.
 */
export async function makeBootPlan(config: MachineConfig, host: SupervisorHost): Promise<Result<BootPlan>> {
  const { boot } = config;
  const firmware = await readFirmware(boot.bios, host);
  if (!firmware.ok) return firmware;
  const kernelBytes = await readBootFile('kernel', boot.kernel, host);
  if (!kernelBytes.ok) return kernelBytes;
  const initrd = await readBootFile('initrd', boot.initrd, host);
  if (!initrd.ok) return initrd;
  const dtb = await readBootFile('dtb', boot.dtb, host);
  if (!dtb.ok) return dtb;
  const kernel =
    kernelBytes.value === undefined ? undefined : identifyKernel(kernelBytes.value, `-kernel ${boot.kernel}`);
  if (kernel?.ok === false) return kernel;
  const plan = planBoot({
    firmware: firmware.value,
    ...(kernel === undefined ? {} : { kernel: kernel.value }),
    ...(initrd.value === undefined ? {} : { initrd: initrd.value }),
    tree: treeConfig(config, host),
  });
  if (!plan.ok || dtb.value === undefined) return plan;
  return replaceTree(plan.value, dtb.value, config);
}

const FDT_MAGIC = [0xd0, 0x0d, 0xfe, 0xed];

/** `-dtb FILE`: the user's device tree in the place of ours. */
function replaceTree(plan: BootPlan, dtb: Uint8Array, config: MachineConfig): Result<BootPlan> {
  if (!FDT_MAGIC.every((byte, i) => dtb[i] === byte)) {
    return userError(`-dtb ${config.boot.dtb}: the file is not a flattened device tree`, {
      hint: 'Compile the source with dtc -O dtb, or leave -dtb away: the board makes its own.',
    });
  }
  const ours = plan.regions.find(({ what }) => what === 'dtb');
  const end = VIRT_DRAM.base + config.memoryBytes;
  if (ours === undefined || ours.addr + dtb.length > end || dtb.length > 2 * MiB) {
    return userError(`-dtb ${config.boot.dtb}: the file is too long`, {
      hint: 'A device tree has at most 2 MiB.',
    });
  }
  const region = { ...ours, bytes: dtb, memoryBytes: dtb.length };
  return ok({ ...plan, regions: plan.regions.map((each) => (each === ours ? region : each)) });
}
