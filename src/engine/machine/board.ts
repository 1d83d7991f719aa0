import { memAddr } from '../base/brands.ts';
import type { Clock } from '../base/clock.ts';
import { GuestRam } from '../base/guest-ram.ts';
import {
  LATENCY_BUCKETS,
  latencyBucketStartNs,
  latencyCount,
  latencyQuantileNs,
} from '../base/latency-histogram.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_HOLD, CONTROL_WAKE, WakeWord, WakeWordLayout } from '../base/wake-word.ts';
import { HART_COUNT_INTERRUPTS, HART_EXECUTED } from '../cpu/layout.ts';
import type {
  BoardSnapshot,
  ContextSnapshot,
  DeviceSnapshot,
  HartSnapshot,
  LatencyHistogram,
  Percentiles,
  QueueSnapshot,
  RunState,
  SourceSnapshot,
} from '../vm.ts';
import { VirtioDeviceLayout, VirtQueueLayout, driverFeatures, virtQueueAddr } from '../virtio/layout.ts';
import { waitingBuffers } from '../virtio/queue/waiting.ts';
import { CONTEXT_STATE, ContextBlockLayout, readSources } from './context-block.ts';
import { VIRT_DRAM } from './platform/memory-map.ts';
import { HART_STATE, HartControl } from './run-control.ts';
import type { MachineLayout } from './shared-layout.ts';

/** What shared memory does not say: names and places, posted by the main context when they change. */
export interface BoardDirectory {
  readonly runState: RunState;
  /** Chardevs with a terminal. */
  readonly serialPorts: readonly string[];
  readonly contexts: readonly {
    index: number;
    id: string;
    qomPath: string;
    threaded: boolean;
    worker: string;
  }[];
  readonly devices: readonly {
    id: string;
    qomPath: string;
    type: string;
    slot: number | undefined;
    movable: boolean;
    moving: boolean;
    queueNames: readonly string[];
    detail: Readonly<Record<string, string | number | boolean>>;
  }[];
}

const CONTEXT_STATES: readonly ContextSnapshot['state'][] = [
  'gone',
  'starting',
  'dispatching',
  'polling',
  'blocked',
  'yielded',
  'held',
];
const VIRTIO_F_RING_PACKED = 1n << 34n;
/** Below this many a p99 would be an anecdote. */
const P99_MIN = 1000;

/** Percentiles of a histogram in shared memory. */
export function percentilesAt(mem: SharedMemory, addr: number): Percentiles {
  const n = latencyCount(mem, addr);
  return {
    n,
    p50: latencyQuantileNs(mem, addr, 0.5),
    p99: n >= P99_MIN ? latencyQuantileNs(mem, addr, 0.99) : undefined,
  };
}

const EDGES_NS: readonly number[] = Array.from({ length: LATENCY_BUCKETS }, (_, i) =>
  latencyBucketStartNs(i),
);
const histogramAt = (mem: SharedMemory, addr: number): LatencyHistogram => ({
  edgesNs: EDGES_NS,
  counts: Array.from(mem.u32.subarray(addr >>> 2, (addr >>> 2) + LATENCY_BUCKETS)),
});

/**
 * Reads the live picture from shared memory. Any thread, at any moment: nothing is stopped, so counters of
 * one snapshot may be some microseconds apart.
 */
export function readBoard(
  mem: SharedMemory,
  layout: MachineLayout,
  clock: Clock,
  directory: BoardDirectory,
): BoardSnapshot {
  const timeNs = clock.nowNs();
  return {
    timeNs,
    runState: directory.runState,
    contexts: directory.contexts.map((context) =>
      readContext(mem, layout.contexts[context.index] as number, timeNs, context),
    ),
    devices: directory.devices.map((device) => readDevice(mem, layout, device)),
    harts: layout.harts.map((area, index) => readHart(mem, layout, area, index, timeNs)),
  };
}

function readContext(
  mem: SharedMemory,
  block: number,
  now: number,
  context: BoardDirectory['contexts'][number],
): ContextSnapshot {
  const { at } = ContextBlockLayout;
  const state = mem.load32(block + at.state);
  // The time in the state it is in now has not been added yet.
  const current = Math.max(0, now - mem.loadF64(block + at.since));
  const spent = (field: 'busyNs' | 'pollingNs' | 'blockedNs', ...states: number[]): number =>
    mem.loadF64(block + at[field]) + (states.includes(state) ? current : 0);
  // The text is made only when somebody looks: a loop that has turned since is asked to publish again.
  if (mem.load32(block + at.iterations) !== mem.load32(block + at.publishedIterations)) {
    new WakeWord(mem, block + at.wake).request(CONTROL_WAKE);
  }
  const nextTimer = mem.loadF64(block + at.nextTimer);
  const heldSince = mem.loadF64(block + at.heldSince);
  const held =
    (mem.load32(block + at.wake + WakeWordLayout.at.control) & CONTROL_HOLD) !== 0 && heldSince > 0;
  return {
    ...context,
    state: CONTEXT_STATES[state] ?? 'gone',
    nextTimerNs: nextTimer > 0 && Number.isFinite(nextTimer) ? nextTimer : undefined,
    heldNs: held ? Math.max(0, now - heldSince) : undefined,
    busyNs: spent('busyNs', CONTEXT_STATE.dispatching, CONTEXT_STATE.yielded),
    pollingNs: spent('pollingNs', CONTEXT_STATE.polling),
    blockedNs: spent('blockedNs', CONTEXT_STATE.blocked, CONTEXT_STATE.held),
    iterations: mem.load32(block + at.iterations),
    wakes: mem.load32(block + at.wake + WakeWordLayout.at.wakes),
    sources: (readSources(mem, block) ?? []) as SourceSnapshot[],
  };
}

const ramOf = ({ ramBytes, ramOffset }: MachineLayout): GuestRam =>
  new GuestRam({ base: VIRT_DRAM.base, bytes: ramBytes, offset: memAddr(ramOffset) });

function readDevice(
  mem: SharedMemory,
  layout: MachineLayout,
  device: BoardDirectory['devices'][number],
): DeviceSnapshot {
  const { queueNames, ...rest } = device;
  if (device.slot === undefined) return { ...rest, status: 0, queues: [] };
  const slotAddr = layout.virtioSlots[device.slot] as number;
  const packed = (driverFeatures(mem, slotAddr) & VIRTIO_F_RING_PACKED) !== 0n;
  return {
    ...rest,
    status: mem.load32(slotAddr + VirtioDeviceLayout.at.status),
    queues: queueNames.map((name, index) =>
      readQueue(mem, ramOf(layout), virtQueueAddr(slotAddr, index), index, name, packed),
    ),
  };
}

function readQueue(
  mem: SharedMemory,
  ram: GuestRam,
  addr: number,
  index: number,
  name: string,
  packed: boolean,
): QueueSnapshot {
  const { at } = VirtQueueLayout;
  const word = (field: keyof typeof at): number => mem.load32(addr + at[field]);
  const count = (field: keyof typeof at): number => mem.loadF64(addr + at[field]);
  const address = (low: keyof typeof at, high: keyof typeof at): number => word(high) * 2 ** 32 + word(low);
  return {
    index,
    name,
    size: word('size'),
    ready: word('ready') !== 0,
    packed,
    desc: address('descLow', 'descHigh'),
    driver: address('driverLow', 'driverHigh'),
    device: address('deviceLow', 'deviceHigh'),
    lastAvail: word('lastAvailIdx'),
    usedIdx: word('usedIdx'),
    inFlight: word('inFlight'),
    waiting: word('ready') === 0 ? 0 : waitingBuffers(mem, ram, addr, packed),
    context: word('context'),
    configuredContext: word('configuredContext'),
    kicks: word('kicks'),
    requests: count('requests'),
    bytesRead: count('bytesRead'),
    bytesWritten: count('bytesWritten'),
    completions: count('completions'),
    interrupts: count('interrupts'),
    interruptsSuppressed: count('interruptsSuppressed'),
    errors: count('errors'),
    latency: percentilesAt(mem, addr + at.latency),
    latencyHistogram: histogramAt(mem, addr + at.latency),
  };
}

/** What a hart's thread does, in the board's words. */
export function hartState(state: number): HartSnapshot['state'] {
  switch (state) {
    case HART_STATE.running:
    case HART_STATE.calling:
      return 'running';
    case HART_STATE.wfi:
      return 'wfi';
    case HART_STATE.paused:
    case HART_STATE.starting:
      return 'paused';
    default:
      return 'stopped';
  }
}

function readHart(
  mem: SharedMemory,
  layout: MachineLayout,
  area: number,
  index: number,
  timeNs: number,
): HartSnapshot {
  const control = new HartControl(mem, layout.hartControls[index] as number);
  const state = hartState(control.get('state'));
  return {
    index,
    state,
    instructions: Number(mem.load64(area + HART_EXECUTED)),
    interrupts: Number(mem.load64(area + HART_COUNT_INTERRUPTS)),
    idleNs: control.getNs('idleNs') + (state === 'wfi' ? Math.max(0, timeNs - control.getNs('wfiSince')) : 0),
  };
}
