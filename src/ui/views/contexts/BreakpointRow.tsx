import { CircleDot, X } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import { useStore } from 'zustand';
import { breakpointInWords } from '../../model/breakpoints.ts';
import { count } from '../../model/format.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './BreakpointRow.module.css';

/** The breakpoints that are set, each with its hits; nothing while there are none. */
export function BreakpointRow(): ReactNode {
  const { breakpoints } = usePlayground();
  const on = useController((state) => state.phase.kind === 'on');
  const all = useStore(breakpoints.store, (state) => state.all);
  useEffect(() => (on ? breakpoints.follow() : undefined), [breakpoints, on]);
  if (all.length === 0) return null;
  return (
    <ul className={styles['row']} aria-label="Breakpoints">
      {all.map((one) => (
        <li key={one.id} className={styles['one']}>
          <CircleDot aria-hidden="true" />
          <span>{breakpointInWords(one)}</span>
          <span className={styles['hits']}>{one.hits === 1 ? '1 hit' : `${count(one.hits)} hits`}</span>
          <Button
            size="small"
            variant="quiet"
            icon={<X />}
            tip={`Remove breakpoint: ${breakpointInWords(one)}`}
            onPress={() => void breakpoints.remove(one.id)}
          />
        </li>
      ))}
    </ul>
  );
}
