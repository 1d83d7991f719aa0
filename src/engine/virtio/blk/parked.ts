import { copyElement } from '../queue/chain.ts';
import type { VirtioBlkRequest } from './request.ts';

/** A stopped request on its way to another context. Plain data. */
export interface ParkedBlkRequest {
  readonly key: number;
  readonly head: number;
  readonly bufferId: number;
  readonly slots: number;
  readonly req: number;
  /** In snapshots of before there is nothing of it. */
  readonly followed?: boolean;
  readonly type: number;
  readonly kind: VirtioBlkRequest['kind'];
  readonly offset: number;
  readonly bytes: number;
  readonly mayUnmap: boolean;
  readonly writableBytes: number;
  readonly statusAddr: number;
  readonly addrs: readonly number[];
  readonly lengths: readonly number[];
}

/** What has to travel of a request that is stopped. */
export function parkedOf(request: VirtioBlkRequest): ParkedBlkRequest {
  return {
    key: request.key,
    head: request.head,
    bufferId: request.bufferId,
    slots: request.slots,
    req: request.req,
    followed: request.followed,
    type: request.type,
    kind: request.kind,
    offset: request.offset,
    bytes: request.bytes,
    mayUnmap: request.mayUnmap,
    writableBytes: request.writableBytes,
    statusAddr: request.statusAddr,
    addrs: [...request.data.addrs.subarray(0, request.data.count)],
    lengths: [...request.data.lengths.subarray(0, request.data.count)],
  };
}

/** The other end: makes `request` the one that was stopped. */
export function restoreParked(from: ParkedBlkRequest, request: VirtioBlkRequest): void {
  copyElement({ ...from, followed: from.followed ?? true }, request);
  request.type = from.type;
  request.kind = from.kind;
  request.offset = from.offset;
  request.bytes = from.bytes;
  request.mayUnmap = from.mayUnmap;
  request.writableBytes = from.writableBytes;
  request.statusAddr = from.statusAddr;
  request.merged = undefined;
  request.flushing = false;
  request.data.clear();
  for (const [i, addr] of from.addrs.entries()) request.data.add(addr, from.lengths[i] as number);
  request.dataBytes = request.data.bytes;
}
