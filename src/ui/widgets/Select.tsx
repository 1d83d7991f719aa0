import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select as AriaSelect,
  SelectValue,
} from 'react-aria-components';
import menu from './ActionMenu.module.css';
import styles from './Select.module.css';

/** One of a few choices. */
export function Select({
  label,
  value,
  choices,
  onChange,
  showLabel = false,
}: {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly { readonly id: string; readonly label: string }[];
  readonly onChange: (id: string) => void;
  /** In a form the label stands above; beside other controls the value says enough. */
  readonly showLabel?: boolean;
}): ReactNode {
  return (
    <AriaSelect
      className={styles['select'] ?? ''}
      value={value}
      onChange={(key) => {
        if (key !== null) onChange(String(key));
      }}
    >
      <Label className={showLabel ? styles['label'] : 'visually-hidden'}>{label}</Label>
      <Button className={styles['button'] ?? ''}>
        <SelectValue className={styles['value'] ?? ''} />
        <ChevronDown aria-hidden="true" />
      </Button>
      <Popover className={menu['popover'] ?? ''}>
        <ListBox className={menu['menu'] ?? ''}>
          {choices.map((choice) => (
            <ListBoxItem
              key={choice.id}
              id={choice.id}
              textValue={choice.label}
              className={menu['item'] ?? ''}
            >
              {choice.label}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
