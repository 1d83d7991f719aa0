import { type ReactNode, useState } from 'react';
import { useBoardShape, useController } from '../../model/playground.ts';
import type { ThemeName } from '../../tokens.ts';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import { LiveRing } from './LiveRing.tsx';
import styles from './RingView.module.css';

/** A virtqueue as it lies in guest memory, live. */
export default function RingView({ theme }: { readonly theme: ThemeName }): ReactNode {
  const vm = useController((state) => (state.phase.kind === 'on' ? state.phase.vm : undefined));
  const board = useBoardShape();
  const [wish, setWish] = useState<string | undefined>(undefined);
  const queues = (board?.devices ?? []).flatMap((device) =>
    device.queues.map((queue) => ({
      id: `${device.qomPath} ${queue.index}`,
      label: `${device.id} ${queue.name}`,
      device,
      queue,
    })),
  );
  const chosen = queues.find(({ id }) => id === wish) ?? queues.find(({ queue }) => queue.ready) ?? queues[0];
  if (vm === undefined || chosen === undefined)
    return <Pane>The rings of the machine’s virtqueues appear here when it is on.</Pane>;
  return (
    <Pane
      about={
        chosen.queue.ready
          ? `${chosen.queue.packed ? 'packed' : 'split'} ring of ${chosen.queue.size}, read from guest memory`
          : 'the guest has not set this queue up'
      }
      actions={<Select label="Virtqueue" value={chosen.id} choices={queues} onChange={setWish} />}
      flush
    >
      {chosen.queue.ready ? (
        <LiveRing
          key={chosen.id}
          vm={vm}
          qomPath={chosen.device.qomPath}
          index={chosen.queue.index}
          dev={chosen.device.type.includes('blk') ? chosen.device.slot : undefined}
          theme={theme}
        />
      ) : (
        <p className={styles['note']}>Its driver has not written QueueReady yet.</p>
      )}
    </Pane>
  );
}
