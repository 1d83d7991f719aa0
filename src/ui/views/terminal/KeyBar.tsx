import type { ReactNode } from 'react';
import { Button, ToggleButton, Toolbar } from 'react-aria-components';
import { KEY_BYTES, type Modifiers } from './keys.ts';
import styles from './TerminalView.module.css';

const NAMES: Record<keyof typeof KEY_BYTES, string> = {
  Esc: 'Escape',
  Tab: 'Tab',
  '←': 'Left',
  '↑': 'Up',
  '↓': 'Down',
  '→': 'Right',
};

/** Keys that a phone's keyboard lacks. Ctrl and Alt hold for the next key. */
export function KeyBar({
  modifiers,
  onModifier,
  onKey,
}: {
  readonly modifiers: Modifiers;
  readonly onModifier: (modifier: keyof Modifiers) => void;
  readonly onKey: (data: string) => void;
}): ReactNode {
  return (
    <Toolbar aria-label="Terminal keys" className={styles['keys'] ?? ''}>
      {(['ctrl', 'alt'] as const).map((modifier) => (
        <ToggleButton
          key={modifier}
          className={styles['key'] ?? ''}
          isSelected={modifiers[modifier]}
          onChange={() => onModifier(modifier)}
        >
          {modifier === 'ctrl' ? 'Ctrl' : 'Alt'}
        </ToggleButton>
      ))}
      {(Object.keys(KEY_BYTES) as (keyof typeof KEY_BYTES)[]).map((key) => (
        <Button
          key={key}
          className={styles['key'] ?? ''}
          aria-label={NAMES[key]}
          onPress={() => onKey(KEY_BYTES[key])}
        >
          {key}
        </Button>
      ))}
    </Toolbar>
  );
}
