import type { ReactNode } from 'react';
import { ProgressBar } from 'react-aria-components';
import styles from './ProgressRow.module.css';

/** One named step with a bar and the amount in words. `share` undefined: amount unknown. */
export function ProgressRow({
  label,
  amount,
  share,
}: {
  readonly label: string;
  readonly amount: string;
  readonly share: number | undefined;
}): ReactNode {
  const value = share === undefined ? { isIndeterminate: true } : { value: share * 100 };
  return (
    <ProgressBar className={styles['row'] ?? ''} aria-label={label} valueLabel={amount} {...value}>
      <span>{label}</span>
      <span className={styles['amount']}>{amount}</span>
      <span className={styles['track']}>
        <span
          className={share === undefined ? styles['unknown'] : styles['fill']}
          style={share === undefined ? undefined : { transform: `scaleX(${Math.min(1, share)})` }}
        />
      </span>
    </ProgressBar>
  );
}
