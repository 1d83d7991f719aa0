import { LATENCY_HISTOGRAM_BYTES } from '../base/latency-histogram.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import { QUEUE_SIZE_MAX } from './spec.ts';

/** Queues of one device at most. */
export const QUEUES_MAX = 16;
/** Bytes of device-specific configuration at most. */
export const CONFIG_BYTES_MAX = 256;

/**
 * Everything one virtio-mmio slot knows, in shared memory as plain data: registers are answered from it by
 * whichever hart asks, the data plane of whichever context serves a queue works on it, and the inspector
 * and a snapshot read it. Addresses of guest memory are guest physical, 64 bits in two words.
 *
 * Writers: `front` the hart's thread, `main` the control plane, `home` the context that serves the queue.
 */
export const VirtioDeviceLayout = struct(
  'VirtioDevice',
  {
    /** main. 0: the slot is empty. */
    deviceId: 'u32',
    queueCount: 'u32',
    configBytes: 'u32',
    /** PLIC source number of the slot. */
    gsi: 'u32',
    deviceFeaturesLow: 'u32',
    deviceFeaturesHigh: 'u32',
    /** front; the accepted features in force are these once FEATURES_OK is set. */
    driverFeaturesLow: 'u32',
    driverFeaturesHigh: 'u32',
    deviceFeaturesSel: 'u32',
    driverFeaturesSel: 'u32',
    queueSel: 'u32',
    shmSel: 'u32',
    /** Atomic. main sets what the driver wrote, home ORs NEEDS_RESET. */
    status: 'u32',
    /** Atomic. home and main set bits, front clears them. */
    interruptStatus: 'u32',
    /** main. `configChanging` is 1 while the bytes below are being changed: front then waits (see config-space.ts). */
    configGeneration: 'u32',
    configChanging: 'u32',
    /** First VirtioFault since the last reset, and its queue. */
    fault: 'u32',
    faultQueue: 'u32',
    /** Times NEEDS_RESET was set. */
    faults: 'u32',
    config: `bytes:${CONFIG_BYTES_MAX}`,
  },
  64,
);

/** State of one virtqueue. `home` writes all that follows the addresses, but for `kicks` (front, atomic). */
export const VirtQueueLayout = struct(
  'VirtQueue',
  {
    /** main */
    sizeMax: 'u32',
    /** front, while not ready */
    size: 'u32',
    descLow: 'u32',
    descHigh: 'u32',
    driverLow: 'u32',
    driverHigh: 'u32',
    deviceLow: 'u32',
    deviceHigh: 'u32',
    /** main */
    ready: 'u32',
    notifierFd: 'u32',
    /** Index of the context that serves it, and of the one the configuration names. */
    context: 'u32',
    configuredContext: 'u32',
    /** 1 between drain begin and drain end. */
    drained: 'u32',
    kicks: 'u32',
    spare: 'bytes:8',

    /** home. Next available entry to take; in a packed queue the slot, with its wrap counter beside it. */
    lastAvailIdx: 'u32',
    lastAvailWrap: 'u32',
    /** Next used entry to write. */
    usedIdx: 'u32',
    usedWrap: 'u32',
    /** Used index when the driver was last considered for an interrupt; packed: with the wrap counter in bit 15. */
    signalledUsed: 'u32',
    /** Always 1 once the queue was set up: the index above starts where the used index does. */
    signalledUsedValid: 'u32',
    /** Buffers taken and not returned, and the descriptor slots they hold (packed). */
    inFlight: 'u32',
    inFlightSlots: 'u32',
    /** Sequence number of the next request id. */
    nextRequest: 'u32',
    /** Requests held back by rerror/werror=stop. */
    parked: 'u32',
    /** 1 while the device asks not to be kicked. */
    notifyDisabled: 'u32',
    /** Bytes of the next available buffer that are done with already (a half-sent console buffer). */
    headProgress: 'u32',

    requests: 'f64',
    reads: 'f64',
    writes: 'f64',
    flushes: 'f64',
    unmaps: 'f64',
    others: 'f64',
    bytesRead: 'f64',
    bytesWritten: 'f64',
    bytesUnmapped: 'f64',
    /** Requests that travelled to the backend inside another one. */
    readsMerged: 'f64',
    writesMerged: 'f64',
    completions: 'f64',
    interrupts: 'f64',
    interruptsSuppressed: 'f64',
    /** Requests completed with a status other than OK. */
    errors: 'f64',
    /** Handler runs, and those of them that the poll loop rather than a kick started. */
    runs: 'f64',
    polledRuns: 'f64',
    /** Host ns spent in requests, pop to completion, by kind. */
    readNs: 'f64',
    writeNs: 'f64',
    flushNs: 'f64',

    /** Latency from pop to completion, and from the set of the notifier that led to the pop. */
    latency: `bytes:${LATENCY_HISTOGRAM_BYTES}`,
    latencyFromKick: `bytes:${LATENCY_HISTOGRAM_BYTES}`,
    /**
     * Per buffer in flight: its request id (0: free) and when it was taken (host ns). The key is the
     * descriptor head in a split queue; in a packed one, where slots are reused out of order, any free key.
     */
    inFlightRequest: `u32[${QUEUE_SIZE_MAX}]`,
    inFlightSince: `f64[${QUEUE_SIZE_MAX}]`,
  },
  64,
);

/** Bytes of one slot: the device and all its queues. */
export const VIRTIO_SLOT_BYTES = VirtioDeviceLayout.size + QUEUES_MAX * VirtQueueLayout.size;

/** Offset of a queue's state in the shared memory. */
export const virtQueueAddr = (slotAddr: number, queue: number): number =>
  slotAddr + VirtioDeviceLayout.size + queue * VirtQueueLayout.size;

/** The accepted features of a slot. Any thread. */
export function driverFeatures(mem: SharedMemory, slotAddr: number): bigint {
  const low = mem.load32(slotAddr + VirtioDeviceLayout.at.driverFeaturesLow);
  const high = mem.load32(slotAddr + VirtioDeviceLayout.at.driverFeaturesHigh);
  return (BigInt(high) << 32n) | BigInt(low);
}
