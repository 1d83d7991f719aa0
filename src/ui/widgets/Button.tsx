import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaProps,
  Tooltip,
  TooltipTrigger,
} from 'react-aria-components';
import styles from './Button.module.css';

export interface ButtonProps extends Omit<AriaProps, 'className' | 'children' | 'style'> {
  readonly children?: ReactNode;
  readonly icon?: ReactNode;
  readonly variant?: 'plain' | 'primary' | 'quiet';
  readonly size?: 'small' | 'normal';
  /** Shown on hover and focus; also the accessible name of a button without text. */
  readonly tip?: string;
}

/** A button of the page; with `tip` and without children an icon button. */
export function Button({
  children,
  icon,
  variant = 'plain',
  size = 'normal',
  tip,
  ...props
}: ButtonProps): ReactNode {
  const iconOnly = children === undefined;
  const label = iconOnly && tip !== undefined ? { 'aria-label': tip } : {};
  const button = (
    <AriaButton
      {...label}
      {...props}
      className={`${styles['button']} ${styles[variant]} ${styles[size]} ${iconOnly ? styles['iconOnly'] : ''}`}
    >
      {icon}
      {children}
    </AriaButton>
  );
  if (tip === undefined) return button;
  return (
    <TooltipTrigger delay={600}>
      {button}
      <Tooltip offset={6} className={styles['tip'] ?? ''}>
        {tip}
      </Tooltip>
    </TooltipTrigger>
  );
}
