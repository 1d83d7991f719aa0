import type { SharedMemory } from '../base/shared-memory.ts';
import type { BlockStats } from '../qom/machine-ops.ts';
import { VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import type { BoardDevice } from './board-device.ts';

const Q = VirtQueueLayout.at;

/** What the device in front of a block node has counted, over all its queues; zeroes without a device. */
export function blockStats(
  mem: SharedMemory,
  slotAddr: number | undefined,
  device: BoardDevice | undefined,
): BlockStats {
  const sum = (field: keyof typeof Q): number => {
    if (slotAddr === undefined || device === undefined) return 0;
    let total = 0;
    for (const queue of device.model.queues.keys())
      total += mem.loadF64(virtQueueAddr(slotAddr, queue) + Q[field]);
    return total;
  };
  return {
    rd_bytes: sum('bytesRead'),
    wr_bytes: sum('bytesWritten'),
    unmap_bytes: sum('bytesUnmapped'),
    rd_operations: sum('reads'),
    wr_operations: sum('writes'),
    flush_operations: sum('flushes'),
    unmap_operations: sum('unmaps'),
    rd_total_time_ns: sum('readNs'),
    wr_total_time_ns: sum('writeNs'),
    flush_total_time_ns: sum('flushNs'),
    unmap_total_time_ns: 0,
    rd_merged: sum('readsMerged'),
    wr_merged: sum('writesMerged'),
    failed_rd_operations: 0,
    failed_wr_operations: sum('errors'),
    failed_flush_operations: 0,
    invalid_rd_operations: 0,
    invalid_wr_operations: 0,
    wr_highest_offset: 0,
  };
}
