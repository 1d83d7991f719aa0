import type { ReactNode } from 'react';
import { KIND_GLYPHS, KIND_NAMES, type Kind } from '../tokens.ts';
import styles from './KindChip.module.css';

/** A source: its kind as colour and glyph and (for readers) words, its name, and something live. */
export function KindChip({
  kind,
  name,
  children,
  title,
}: {
  readonly kind: Kind;
  readonly name: string;
  readonly children?: ReactNode;
  readonly title?: string;
}): ReactNode {
  return (
    <span className={styles['chip']} title={title ?? `${KIND_NAMES[kind]}: ${name}`}>
      <span className={styles['glyph']} style={{ color: `var(--${kind})` }} aria-hidden="true">
        {KIND_GLYPHS[kind]}
      </span>
      <span className="visually-hidden">{KIND_NAMES[kind]} </span>
      <span className={styles['name']}>{name}</span>
      {children}
    </span>
  );
}
