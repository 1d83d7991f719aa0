import { useStore } from 'zustand';
import { useBoardShape, usePlayground } from '../playground.ts';
import { queueId } from './request-links.ts';

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

/** The queues of all disks on the board, the one all views of requests look at, and how to choose another. */
export function useDiskQueues(): {
  readonly queues: readonly DiskQueue[];
  readonly chosen: DiskQueue | undefined;
  readonly choose: (id: string) => void;
} {
  const board = useBoardShape();
  const { store } = usePlayground().requests;
  const wish = useStore(store, (state) => state.queue);
  const queues = (board?.devices ?? []).flatMap(({ slot, type, id, qomPath, queues: all }): DiskQueue[] =>
    slot === undefined || !type.includes('blk')
      ? []
      : all.map((queue) => ({
          id: queueId(slot, queue.index),
          label: all.length === 1 ? id : `${id} ${queue.name}`,
          dev: slot,
          queue: queue.index,
          qomPath,
          device: qomPath === `/machine/peripheral/${id}` ? id : qomPath,
        })),
  );
  return {
    queues,
    chosen: queues.find(({ id }) => id === wish) ?? queues[0],
    choose: (queue) => store.setState({ queue, request: undefined, inFlow: false }),
  };
}
