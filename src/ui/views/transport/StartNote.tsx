import { X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useStore } from 'zustand';
import { useController, usePlayground } from '../../model/playground.ts';
import { timeOfDay, type WarmStart } from '../../model/warm-start/warm-start.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './TransportBar.module.css';

/** Where the machine that is on comes from, in words: shown beside its run state. */
export function OriginWords(): ReactNode {
  const origin = useController((state) => state.origin);
  return (
    <span className={styles['origin']} data-testid="origin">
      <b className={styles['live']}>LIVE</b>{' '}
      {origin.kind === 'restored' ? `restored from the snapshot of ${timeOfDay(origin.savedAt)}` : 'booted'}
    </span>
  );
}

/** Sentences about snapshots that someone may wonder about: why this start boots, why the next one will. */
export function StartNote(): ReactNode {
  const { controller } = usePlayground();
  const on = useController((state) => state.phase.kind === 'on');
  return on && controller.warm !== undefined ? <Sentences warm={controller.warm} /> : null;
}

function Sentences({ warm }: { readonly warm: WarmStart }): ReactNode {
  const origin = useController((state) => state.origin);
  const next = useStore(warm.store, (state) => state.next);
  const [dismissed, setDismissed] = useState('');
  const now =
    origin.kind === 'booted' && origin.why !== undefined
      ? `Booted instead of going on from the last visit: ${origin.why}.`
      : '';
  const later =
    next.kind === 'boots' && next.why !== undefined ? `The next visit will boot: ${next.why}.` : '';
  const text = [now, later].filter(Boolean).join(' ');
  if (text === '' || text === dismissed) return null;
  return (
    <div className={styles['note']} role="note">
      <p>{text}</p>
      <Button variant="quiet" icon={<X />} tip="Dismiss" onPress={() => setDismissed(text)} />
    </div>
  );
}
