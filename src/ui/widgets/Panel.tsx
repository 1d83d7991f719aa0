import { type ReactNode, useId } from 'react';
import { Guard } from './Guard.tsx';
import styles from './Panel.module.css';

/** A titled region of the page. */
export function Panel({
  title,
  aside,
  actions,
  children,
  footer,
  banner,
  flush = false,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Stays below the children, which scroll. */
  readonly footer?: ReactNode;
  /** Stays above the children. */
  readonly banner?: ReactNode;
  /** Children reach the panel's edges. */
  readonly flush?: boolean;
}): ReactNode {
  const id = useId();
  return (
    <section className={styles['panel']} aria-labelledby={id}>
      <header className={styles['header']}>
        <h2 id={id} className={styles['title']}>
          {title}
        </h2>
        <div className={styles['aside']}>{aside}</div>
        <div className={styles['actions']}>{actions}</div>
      </header>
      {banner == null ? null : <div className={styles['banner']}>{banner}</div>}
      <div className={flush ? styles['flush'] : styles['body']}>
        <Guard name={title}>{children}</Guard>
      </div>
      {footer}
    </section>
  );
}
