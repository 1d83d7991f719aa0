import { driverFeatures, VirtQueueLayout } from '../layout.ts';
import type { VirtioEnv } from '../env.ts';
import { VirtioFault } from '../fault.ts';
import {
  DESC_BYTES,
  PACKED_WRAP_BIT,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
} from '../spec.ts';
import { PackedVirtqueue } from './packed.ts';
import { QueueState } from './queue-state.ts';
import { SplitVirtqueue } from './split.ts';
import type { RingAreas, Virtqueue } from './virtqueue.ts';

const Q = VirtQueueLayout.at;

/** A queue's areas after every check that virtio 2.7 and 2.8 ask for, or what is wrong with them. */
export type RingCheck =
  | { readonly kind: 'ring'; readonly packed: boolean; readonly areas: RingAreas }
  | { readonly kind: 'fault'; readonly fault: VirtioFault };

/** Checks what the driver wrote to the queue's registers. Any thread. */
export function checkRing(env: VirtioEnv, index: number): RingCheck {
  const state = new QueueState(env.mem, env.slotAddr, index);
  const features = driverFeatures(env.mem, env.slotAddr);
  const packed = (features & VIRTIO_F_RING_PACKED) !== 0n;
  const size = state.get(Q.size);
  const fault = (code: VirtioFault): RingCheck => ({ kind: 'fault', fault: code });
  if (size === 0 || size > state.get(Q.sizeMax)) return fault(VirtioFault.QueueSize);
  if (!packed && (size & (size - 1)) !== 0) return fault(VirtioFault.QueueSize);
  const wants = packed
    ? { desc: size * DESC_BYTES, driver: 4, device: 4, driverAlign: 4 }
    : { desc: size * DESC_BYTES, driver: 6 + 2 * size, device: 6 + 8 * size, driverAlign: 2 };
  if (state.get(Q.descLow) % 16 !== 0) return fault(VirtioFault.RingMisaligned);
  if (state.get(Q.driverLow) % wants.driverAlign !== 0) return fault(VirtioFault.RingMisaligned);
  if (state.get(Q.deviceLow) % 4 !== 0) return fault(VirtioFault.RingMisaligned);
  const desc = env.ram.translate(state.get(Q.descLow), state.get(Q.descHigh), wants.desc);
  const driver = env.ram.translate(state.get(Q.driverLow), state.get(Q.driverHigh), wants.driver);
  const device = env.ram.translate(state.get(Q.deviceLow), state.get(Q.deviceHigh), wants.device);
  if (desc < 0 || driver < 0 || device < 0) return fault(VirtioFault.RingOutsideRam);
  return {
    kind: 'ring',
    packed,
    areas: {
      size,
      desc,
      driver,
      device,
      indirect: (features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n,
      eventIdx: (features & VIRTIO_F_RING_EVENT_IDX) !== 0n,
    },
  };
}

/** The device's end of a queue that `checkRing` found in order. Context that serves it. */
export const openVirtqueue = (
  env: VirtioEnv,
  index: number,
  ring: Extract<RingCheck, { kind: 'ring' }>,
): Virtqueue =>
  ring.packed ? new PackedVirtqueue(env, index, ring.areas) : new SplitVirtqueue(env, index, ring.areas);

/** Puts a queue's device-side state back to the start: at reset, and when the driver enables it. */
export function resetQueueState(env: VirtioEnv, index: number): void {
  const state = new QueueState(env.mem, env.slotAddr, index);
  state.set(Q.lastAvailIdx, 0);
  state.set(Q.lastAvailWrap, 1);
  state.set(Q.usedIdx, 0);
  state.set(Q.usedWrap, 1);
  const packed = (driverFeatures(env.mem, env.slotAddr) & VIRTIO_F_RING_PACKED) !== 0n;
  state.set(Q.signalledUsed, packed ? PACKED_WRAP_BIT : 0);
  state.set(Q.signalledUsedValid, 1);
  state.set(Q.inFlight, 0);
  state.set(Q.inFlightSlots, 0);
  state.set(Q.parked, 0);
  state.set(Q.drained, 0);
  state.set(Q.notifyDisabled, 0);
  state.set(Q.headProgress, 0);
  for (let key = 0; key < state.get(Q.sizeMax); key++) state.setRequestAt(key, 0, 0);
}
