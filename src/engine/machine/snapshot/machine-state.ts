import { SharedMemory } from '../../base/shared-memory.ts';
import { BLK_OK, blockResultName } from '../../block/block-backend.ts';
import { memoryDiskUsed } from '../../block/memory-store.ts';
import type { ParkedBlkRequest } from '../../virtio/blk/parked.ts';
import { type BlockNode, blockFilename } from '../block-nodes.ts';
import { diskLocator } from '../block-open.ts';
import type { MachineParts } from '../machine-parts.ts';
import { NOTIFIER } from '../notifier-table.ts';
import type { QueueCargo } from '../queue-plan.ts';
import type { BoardDevice, DeviceAtRest } from '../board-device.ts';
import { xxh32 } from './xxh32.ts';
import type { DeviceFacts, DiskState, MachineFacts, SnapshotHeader } from './header.ts';
import { CHUNK_BYTES, packPages, unpackPages } from './pages.ts';
import { dropReservations, stateDigest, stateRegions } from './regions.ts';

/** A section of a snapshot, and the memory it is of. */
export interface Extent {
  readonly name: string;
  readonly index: number;
  readonly mem: SharedMemory;
  readonly addr: number;
  readonly bytes: number;
  /** Pages of zeroes are left out, and the section with them if there is nothing else. */
  readonly sparse: boolean;
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Bytes of virtio-blk's configuration that hold the capacity, which a resize changes. */
const BLK_CAPACITY_BYTES = 8;

/** The state of a machine that is held still, as snapshots see it. Main context. */
export class MachineState {
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  get digest(): number {
    return stateDigest();
  }

  /** Brings every device to rest. */
  rest(): Promise<DeviceAtRest[]> {
    const { board } = this.#parts;
    return Promise.all(board.all().map((device) => board.rest(device)));
  }

  /** Goes on after `rest`, with everything as it was. */
  async serveAgain(resting: readonly DeviceAtRest[]): Promise<void> {
    for (const rest of resting) await this.#parts.board.serveAgain(rest, rest.queues);
  }

  /** What must be the same in a machine that goes on from a snapshot of this one. */
  facts(): MachineFacts {
    const { config, boot, board } = this.#parts;
    return {
      type: config.machine.type,
      memoryBytes: config.memoryBytes,
      harts: config.smp,
      cpu: { ...config.cpu.features },
      firmware: boot.mode === 'S' ? 'built-in' : 'guest',
      devices: board.all().map(deviceFacts),
    };
  }

  contexts(): readonly string[] {
    return this.#parts.contexts.all().map(({ id }) => id);
  }

  /** How the disks are now. @param flush make durable what was written to them, first */
  disks(flush: boolean): Promise<DiskState[]> {
    return Promise.all(this.#parts.blocks.all().map((node) => this.#disk(node, flush)));
  }

  async #disk({ plan, medium, residence }: BlockNode, flush: boolean): Promise<DiskState> {
    const { core } = this.#parts;
    const { spec, arena } = plan;
    const inFile = spec.protocol.driver === 'file';
    if (flush && inFile && !medium.readOnly) {
      const result = await residence.owner.service.flushBlock(spec.id);
      if (result !== BLK_OK) throw new Error(`the disk '${spec.id}': ${blockResultName(result)}`);
    }
    const locator = diskLocator(spec, core.host);
    return {
      id: spec.id,
      filename: blockFilename(spec),
      bytes: medium.bytes,
      stamp: locator === undefined ? undefined : await core.hostAsync(core.host.diskStamp(locator)),
      memoryBytes: arena === undefined ? 0 : memoryDiskUsed(new SharedMemory(arena)),
      memoryCapacity: arena === undefined ? 0 : arena.buffer.byteLength,
    };
  }

  header(tag: string, disks: readonly DiskState[], resting: readonly DeviceAtRest[]): SnapshotHeader {
    const { core, guestClock, harts } = this.#parts;
    const machine = this.facts();
    return {
      tag,
      date: new Date(Number(core.host.wallClockNs() / 1_000_000n)).toISOString(),
      vmClockNs: Math.floor(guestClock.ns()),
      state: this.digest,
      machine,
      digest: xxh32(Uint8Array.from(JSON.stringify(machine), (c) => c.charCodeAt(0) & 0xff)),
      hsm: harts.controls.map((control) => control.get('hsm')),
      ramOffset: core.layout.ramOffset,
      devices: resting.map(({ device, queues }) => ({
        slot: device.slot,
        placement: device.placement.map(({ id }) => id),
        serving: [...queues.keys()],
        parked: [...queues].flatMap(([queue, { parked = [] }]) =>
          parked.length === 0 ? [] : [[queue, parked] as const],
        ),
        ...(device.bus === undefined ? {} : { bus: device.bus.state }),
      })),
      disks,
    };
  }

  /** Everything that is saved as bytes, in the order of the file. */
  extents(header: SnapshotHeader): readonly Extent[] {
    const { core, blocks } = this.#parts;
    const { mem, layout } = core;
    const chunks = (name: string, memory: SharedMemory, from: number, bytes: number): Extent[] =>
      Array.from({ length: Math.ceil(bytes / CHUNK_BYTES) }, (_, index) => ({
        name,
        index,
        mem: memory,
        addr: from + index * CHUNK_BYTES,
        bytes: Math.min(CHUNK_BYTES, bytes - index * CHUNK_BYTES),
        sparse: true,
      }));
    const slots = header.devices.map(({ slot }) => slot);
    return [
      ...stateRegions(layout, slots).map((region) => ({ ...region, mem, sparse: false })),
      ...chunks('ram', mem, layout.ramOffset, layout.ramBytes),
      ...header.disks.flatMap(({ id, memoryBytes }, index) => {
        const arena = blocks.get(id)?.plan.arena;
        return arena === undefined ? [] : chunks(`disk.${index}`, new SharedMemory(arena), 0, memoryBytes);
      }),
    ];
  }

  /** The bytes of an extent as they are saved; undefined if it has none but zeroes. */
  capture({ mem, addr, bytes, sparse }: Extent): Uint8Array<ArrayBuffer> | undefined {
    return sparse ? packPages(mem, addr, bytes) : mem.u8.slice(addr, addr + bytes);
  }

  /** Puts an extent's bytes back; undefined: there was no section. @param clean RAM is zero already */
  restore({ name, mem, addr, bytes, sparse }: Extent, raw: Uint8Array | undefined, clean: boolean): void {
    if (sparse) unpackPages(raw, mem, addr, bytes, clean && name === 'ram');
    else if (raw?.length === bytes) mem.u8.set(raw, addr);
    else throw new Error(`section ${name} has ${raw?.length ?? 0} bytes instead of ${bytes}`);
  }

  /** Brings the devices to the contexts they were in. They are not at rest. */
  async place(header: SnapshotHeader): Promise<string | undefined> {
    const { board } = this.#parts;
    for (const { slot, placement } of header.devices) {
      const device = board.bySlot(slot);
      if (device === undefined) continue;
      const together = new Set(placement).size === 1;
      for (const [queue, id] of together ? [[undefined, placement[0]] as const] : placement.entries()) {
        const moved = await board.move(device.spec.qomPath, queue, id as string);
        if (!moved.ok) return moved.error.desc;
      }
    }
    return undefined;
  }

  /** The harts at their reset, ready to be overwritten. */
  async resetHarts(): Promise<void> {
    const { harts, boot } = this.#parts;
    harts.reset(boot);
    await harts.settled();
  }

  /** After the extents: what is not bytes of the guest's, and the devices at work again. */
  async goOn(header: SnapshotHeader, resting: readonly DeviceAtRest[]): Promise<void> {
    const { core, harts, guestClock, board } = this.#parts;
    dropReservations(core.mem, core.layout);
    for (const [hart, control] of harts.controls.entries()) control.set('hsm', header.hsm[hart] as number);
    guestClock.set(header.vmClockNs);
    await harts.restore();
    for (const rest of resting) {
      const saved = header.devices.find(({ slot }) => slot === rest.device.slot);
      const parked = new Map(saved?.parked);
      const moved = core.layout.ramOffset - header.ramOffset;
      const queues = new Map<number, QueueCargo>(
        saved?.serving.map((queue) => [
          queue,
          { parked: (parked.get(queue) ?? []).map((request) => rebased(request, moved)) },
        ]),
      );
      if (saved?.bus !== undefined) rest.device.bus?.restore(saved.bus);
      await board.serveAgain(rest, queues);
    }
    // Whoever waits at the other end of the UART and the clock looks again.
    for (const fd of [NOTIFIER.uartTx, NOTIFIER.uartRxSpace, NOTIFIER.rtcAlarm]) core.notifiers.get(fd).set();
  }
}

function deviceFacts({ spec, slot, virtio, model }: BoardDevice): DeviceFacts {
  const config = model.config.slice();
  if (spec.driver === 'virtio-blk-device') config.fill(0, 0, BLK_CAPACITY_BYTES);
  return {
    slot,
    driver: spec.driver,
    qomPath: spec.qomPath,
    features: virtio.offeredFeatures.toString(16),
    config: hex(config),
    queues: model.queues.map(({ sizeMax }) => sizeMax),
  };
}

/** A stopped request whose buffers are `by` bytes further on in this machine's memory. */
const rebased = (request: ParkedBlkRequest, by: number): ParkedBlkRequest => ({
  ...request,
  statusAddr: request.statusAddr + by,
  addrs: request.addrs.map((addr) => addr + by),
});
