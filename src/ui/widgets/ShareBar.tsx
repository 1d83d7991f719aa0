import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';
import type { Feed } from './LiveText.tsx';
import styles from './ShareBar.module.css';

export interface Shares {
  readonly busy: number;
  readonly polling: number;
  readonly blocked: number;
}

/**
 * How a loop spent its last second: solid = dispatching, hatched = busy-polling, empty = blocked. The same in
 * words is beside it, so the bar itself is hidden from screen readers.
 */
export function ShareBar<T>({
  feed,
  read,
}: {
  readonly feed: Feed<T>;
  readonly read: (value: T) => Shares | undefined;
}): ReactNode {
  const bar = useRef<HTMLSpanElement>(null);
  const shown = useRef('');
  const show = useEffectEvent((value: T) => {
    const shares = read(value);
    // Sizes of backgrounds: a new number is painted, with no layout and no change of what clips and moves what.
    const b = ((shares?.busy ?? 0) * 100).toFixed(1);
    const p = (((shares?.busy ?? 0) + (shares?.polling ?? 0)) * 100).toFixed(1);
    const next = `${b}% 100%, ${p}% 100%`;
    if (bar.current !== null && shown.current !== next) bar.current.style.backgroundSize = next;
    shown.current = next;
  });
  useEffect(() => feed((value) => show(value)), [feed]);
  return <span ref={bar} className={styles['bar']} aria-hidden="true" />;
}
