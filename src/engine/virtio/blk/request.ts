import { IoVector } from '../../base/io-vector.ts';
import { SECTOR_BYTES } from '../../base/brands.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import type { BlockRequest, BlockRequestKind, BlockResult } from '../../block/block-backend.ts';
import { VirtioFault } from '../fault.ts';
import type { DescriptorChain, VirtQueueElement } from '../queue/chain.ts';
import {
  BLK_HEADER_BYTES,
  BLK_RANGE_BYTES,
  BLK_STATUS_BYTES,
  BLK_WRITE_ZEROES_F_UNMAP,
  VIRTIO_BLK_T_DISCARD,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
  VIRTIO_BLK_T_WRITE_ZEROES,
} from './spec.ts';

/** What the parser makes of a chain. */
export type BlkParse =
  /** To be submitted to the backend. */
  | 'submit'
  /** To be answered at once: GET_ID; a transfer of no bytes. */
  | 'get-id'
  | 'nothing-to-do'
  /** To be answered with a status. */
  | 'ioerr'
  | 'unsupp'
  /** The chain can't even hold an answer: the fault is in `fault`. */
  | 'fault';

/** What the parser has to know of the disk. */
export interface BlkLimits {
  /** Size in bytes now. */
  bytes: number;
  readOnly: boolean;
  /** Bytes every request must be a multiple of, and aligned to. */
  readonly blockSize: number;
  readonly canDiscard: boolean;
  readonly canWriteZeroes: boolean;
  readonly maxDiscardSectors: number;
  readonly maxWriteZeroesSectors: number;
}

/** Receives completions of backend requests: the data plane. */
export interface BlkCompletion {
  requestDone(request: VirtioBlkRequest, result: BlockResult): void;
}

const noBytes = new IoVector(1);

/**
 * A virtio-blk request from the moment its chain was taken to its completion, and at once the backend
 * request it becomes. Preallocated and reused: nothing is allocated per request but growth of its list.
 */
export class VirtioBlkRequest implements VirtQueueElement, BlockRequest {
  // the buffer to return
  key = 0;
  head = 0;
  bufferId = 0;
  slots = 0;
  req = 0;
  followed = true;

  // what the driver asks
  type = 0;
  kind: BlockRequestKind = 'read';
  /** First byte on the disk, and length. */
  offset = 0;
  bytes = 0;
  mayUnmap = false;
  readonly data = new IoVector(16);
  /** Bytes of data that belong to this request alone; `iov` of a merged one holds its followers' as well. */
  dataBytes = 0;
  /** Length of the chain's device-writable part, status byte included. */
  writableBytes = 0;
  /** Offset of the status byte in the shared memory. */
  statusAddr = 0;
  fault: VirtioFault = VirtioFault.HeaderTooShort;

  // on its way to the backend
  /** The next request that travels inside this one (merging). */
  merged: VirtioBlkRequest | undefined;
  /** The flush behind a write-through write is under way. */
  flushing = false;
  readonly dev: number;
  readonly #completion: BlkCompletion;

  constructor(dev: number, completion: BlkCompletion) {
    this.dev = dev;
    this.#completion = completion;
  }

  get id(): number {
    return this.req;
  }
  get iov(): IoVector {
    return this.kind === 'read' || this.kind === 'write' ? this.data : noBytes;
  }
  complete(result: BlockResult): void {
    this.#completion.requestDone(this, result);
  }
}

const header = new Uint8Array(BLK_HEADER_BYTES);
const headerView = new DataView(header.buffer);

/**
 * Reads a request out of a chain: header, data, status byte, wherever the driver put the boundaries
 * (5.2.6.2 leaves the framing to it). The header, and a discard's range, are copied once and judged from the
 * copy: a driver that rewrites them meanwhile changes nothing.
 */
export function parseBlkRequest(
  mem: SharedMemory,
  chain: DescriptorChain,
  limits: BlkLimits,
  into: VirtioBlkRequest,
): BlkParse {
  const { readable, writable } = chain;
  into.merged = undefined;
  into.flushing = false;
  into.mayUnmap = false;
  into.data.clear();
  into.dataBytes = 0;
  if (readable.bytes < BLK_HEADER_BYTES) return faulty(into, VirtioFault.HeaderTooShort);
  if (writable.bytes < BLK_STATUS_BYTES) return faulty(into, VirtioFault.StatusMissing);
  into.writableBytes = writable.bytes;
  const lastPiece = writable.count - 1;
  into.statusAddr = (writable.addrs[lastPiece] as number) + (writable.lengths[lastPiece] as number) - 1;

  readable.copyTo(mem, header);
  into.type = headerView.getUint32(0, true);
  const sector = headerView.getUint32(8, true) + headerView.getUint32(12, true) * 0x1_0000_0000;
  const readableData = readable.bytes - BLK_HEADER_BYTES;
  const writableData = writable.bytes - BLK_STATUS_BYTES;

  switch (into.type) {
    case VIRTIO_BLK_T_IN:
      into.kind = 'read';
      if (readableData > 0) return 'ioerr';
      into.data.addSlice(writable, 0, writableData);
      return transfer(into, sector, writableData, limits);
    case VIRTIO_BLK_T_OUT:
      into.kind = 'write';
      if (writableData > 0 || limits.readOnly) return 'ioerr';
      into.data.addSlice(readable, BLK_HEADER_BYTES, readableData);
      return transfer(into, sector, readableData, limits);
    case VIRTIO_BLK_T_FLUSH:
      into.kind = 'flush';
      into.offset = 0;
      into.bytes = 0;
      return 'submit';
    case VIRTIO_BLK_T_GET_ID:
      into.data.addSlice(writable, 0, writableData);
      into.dataBytes = writableData;
      return 'get-id';
    case VIRTIO_BLK_T_DISCARD:
      if (!limits.canDiscard) return 'unsupp';
      into.kind = 'discard';
      return range(mem, chain, into, limits, readableData, limits.maxDiscardSectors, 0);
    case VIRTIO_BLK_T_WRITE_ZEROES:
      if (!limits.canWriteZeroes) return 'unsupp';
      into.kind = 'write-zeroes';
      return range(
        mem,
        chain,
        into,
        limits,
        readableData,
        limits.maxWriteZeroesSectors,
        BLK_WRITE_ZEROES_F_UNMAP,
      );
    default:
      return 'unsupp';
  }
}

function faulty(into: VirtioBlkRequest, fault: VirtioFault): BlkParse {
  into.fault = fault;
  return 'fault';
}

function transfer(into: VirtioBlkRequest, sector: number, bytes: number, limits: BlkLimits): BlkParse {
  into.offset = sector * SECTOR_BYTES;
  into.bytes = bytes;
  into.dataBytes = bytes;
  if (!inRange(into.offset, bytes, limits)) return 'ioerr';
  return bytes === 0 ? 'nothing-to-do' : 'submit';
}

/**
 * Whole blocks inside the disk? Sectors of 2^53 and more are rounded here, but only upwards of any disk's
 * end, so the comparison is right all the same.
 */
function inRange(offset: number, bytes: number, limits: BlkLimits): boolean {
  return bytes % limits.blockSize === 0 && offset + bytes <= limits.bytes && offset % limits.blockSize === 0;
}

/** 5.2.6.2: discard and write zeroes carry one range here (max_*_seg is 1). */
function range(
  mem: SharedMemory,
  chain: DescriptorChain,
  into: VirtioBlkRequest,
  limits: BlkLimits,
  readableData: number,
  maxSectors: number,
  knownFlags: number,
): BlkParse {
  if (chain.writable.bytes !== BLK_STATUS_BYTES || limits.readOnly) return 'ioerr';
  if (readableData === 0 || readableData % BLK_RANGE_BYTES !== 0) return 'ioerr';
  if (readableData > BLK_RANGE_BYTES) return 'unsupp';
  chain.readable.copyTo(mem, header, BLK_HEADER_BYTES);
  const sector = headerView.getUint32(0, true) + headerView.getUint32(4, true) * 0x1_0000_0000;
  const sectors = headerView.getUint32(8, true);
  const flags = headerView.getUint32(12, true);
  if ((flags & ~knownFlags) !== 0) return 'unsupp';
  into.mayUnmap = (flags & BLK_WRITE_ZEROES_F_UNMAP) !== 0;
  if (sectors > maxSectors) return 'ioerr';
  into.offset = sector * SECTOR_BYTES;
  into.bytes = sectors * SECTOR_BYTES;
  if (!inRange(into.offset, into.bytes, limits)) return 'ioerr';
  return sectors === 0 ? 'nothing-to-do' : 'submit';
}
