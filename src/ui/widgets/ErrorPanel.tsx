import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './Button.tsx';
import styles from './ErrorPanel.module.css';

export interface WayOutButton {
  readonly label: string;
  readonly onPress: () => void;
}

/** One clear message: what is wrong, what to do, and buttons that do it. Takes the focus when it is mounted. */
export function ErrorPanel({
  title,
  detail,
  hint,
  quote,
  ways,
}: {
  readonly title: string;
  readonly detail: string;
  readonly hint?: string | undefined;
  /** The text at fault, with the faulty part marked. */
  readonly quote?: ReactNode;
  readonly ways: readonly WayOutButton[];
}): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <div ref={ref} className={styles['panel']} role="alert" aria-labelledby={id} tabIndex={-1}>
      <h2 id={id} className={styles['title']}>
        <span className={styles['glyph']} aria-hidden="true">
          ✕
        </span>
        {title}
      </h2>
      <p className={styles['detail']}>{detail}</p>
      {quote === undefined ? null : <pre className={styles['quote']}>{quote}</pre>}
      {hint === undefined ? null : <p className={styles['hint']}>{hint}</p>}
      <div className={styles['ways']}>
        {ways.map((way, i) => (
          <Button key={way.label} variant={i === 0 ? 'primary' : 'plain'} onPress={way.onPress}>
            {way.label}
          </Button>
        ))}
      </div>
    </div>
  );
}
