import { useState } from 'react';
import { useBoardShape } from '../playground.ts';

/** A virtqueue of a disk, as views that follow requests offer it. */
export interface DiskQueue {
  readonly id: string;
  readonly label: string;
  readonly dev: number;
  readonly queue: number;
  readonly qomPath: string;
  /** What the monitor knows the disk by: its id, or its path where it has none. */
  readonly device: string;
}

/** The queues of all disks on the board, the chosen one, and how to choose another. */
export function useDiskQueues(): {
  readonly queues: readonly DiskQueue[];
  readonly chosen: DiskQueue | undefined;
  readonly choose: (id: string) => void;
} {
  const board = useBoardShape();
  const [wish, choose] = useState<string | undefined>(undefined);
  const queues = (board?.devices ?? []).flatMap(({ slot, type, id, qomPath, queues: all }): DiskQueue[] =>
    slot === undefined || !type.includes('blk')
      ? []
      : all.map((queue) => ({
          id: `${slot} ${queue.index}`,
          label: all.length === 1 ? id : `${id} ${queue.name}`,
          dev: slot,
          queue: queue.index,
          qomPath,
          device: qomPath === `/machine/peripheral/${id}` ? id : qomPath,
        })),
  );
  return { queues, chosen: queues.find(({ id }) => id === wish) ?? queues[0], choose };
}
