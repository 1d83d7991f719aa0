import { byteRingBytes } from '../../base/byte-ring.ts';
import { struct } from '../../base/struct.ts';

/** Bytes of frames a port holds for a card that is busy. */
export const HUB_PORT_CAPACITY = 128 * 1024;

/** Head of a hub's port: the number of its hub and 1, or 0 while it is free. A ring of frames follows. */
export const HubPortLayout = struct('HubPort', { hub: 'u32', dropped: 'u32', spare: 'bytes:56' }, 64);
export const HUB_PORT_BYTES = HubPortLayout.size + byteRingBytes(HUB_PORT_CAPACITY);
