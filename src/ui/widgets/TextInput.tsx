import type { ReactNode } from 'react';
import { FieldError, Input, Label, TextField, type TextFieldProps } from 'react-aria-components';
import styles from './TextInput.module.css';

/** One line of text with its label. `error` is shown below and makes the field invalid. */
export function TextInput({
  label,
  placeholder,
  error,
  mono = false,
  hideLabel = false,
  ...props
}: Omit<TextFieldProps, 'className' | 'children' | 'style'> & {
  readonly label: string;
  readonly placeholder?: string;
  readonly error?: string | undefined;
  readonly mono?: boolean;
  readonly hideLabel?: boolean;
}): ReactNode {
  return (
    <TextField {...props} isInvalid={error !== undefined} className={styles['field'] ?? ''}>
      <Label className={hideLabel ? 'visually-hidden' : (styles['label'] ?? '')}>{label}</Label>
      <Input
        className={`${styles['input']} ${mono ? styles['mono'] : ''}`}
        {...(placeholder === undefined ? {} : { placeholder })}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
      />
      <FieldError className={styles['error'] ?? ''}>{error}</FieldError>
    </TextField>
  );
}
