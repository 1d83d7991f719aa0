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
  const busy = useRef<HTMLSpanElement>(null);
  const polling = useRef<HTMLSpanElement>(null);
  const shown = useRef<readonly string[]>([]);
  const show = useEffectEvent((value: T) => {
    const shares = read(value);
    // Transforms, not widths: no layout four times a second.
    const b = shares?.busy ?? 0;
    const p = shares?.polling ?? 0;
    const next = [`scaleX(${b.toFixed(3)})`, `translateX(${(b * 100).toFixed(1)}%) scaleX(${p.toFixed(3)})`];
    [busy, polling].forEach(({ current }, i) => {
      const transform = next[i] ?? '';
      if (current !== null && shown.current[i] !== transform) current.style.transform = transform;
    });
    shown.current = next;
  });
  useEffect(() => feed((value) => show(value)), [feed]);
  return (
    <span className={styles['bar']} aria-hidden="true">
      <span ref={polling} className={styles['polling']} />
      <span ref={busy} className={styles['busy']} />
    </span>
  );
}
