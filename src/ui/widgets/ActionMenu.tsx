import type { ReactNode } from 'react';
import { Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import styles from './ActionMenu.module.css';

export interface Action {
  readonly id: string;
  readonly label: string;
  /** A second, quieter line. */
  readonly note?: string;
  readonly disabled?: boolean;
}

/** A button with a menu of actions. `trigger` must be a Button. */
export function ActionMenu({
  trigger,
  title,
  actions,
  onAction,
}: {
  readonly trigger: ReactNode;
  readonly title?: string;
  readonly actions: readonly Action[];
  readonly onAction: (id: string) => void;
}): ReactNode {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles['popover'] ?? ''} offset={4}>
        <Menu
          className={styles['menu'] ?? ''}
          onAction={(key) => onAction(String(key))}
          disabledKeys={actions.filter((action) => action.disabled === true).map((action) => action.id)}
        >
          <MenuSection>
            {title === undefined ? null : <Header className={styles['title']}>{title}</Header>}
            {actions.map((action) => (
              <MenuItem
                key={action.id}
                id={action.id}
                textValue={action.label}
                className={styles['item'] ?? ''}
              >
                <span>{action.label}</span>
                {action.note === undefined ? null : <span className={styles['note']}>{action.note}</span>}
              </MenuItem>
            ))}
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
