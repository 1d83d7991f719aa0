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

export interface ActionGroup {
  readonly title?: string | undefined;
  readonly actions: readonly Action[];
}

/** A button with a menu of actions, in groups or plain. `trigger` must be a Button. */
export function ActionMenu({
  trigger,
  title,
  actions = [],
  groups = [{ title, actions }],
  onAction,
}: {
  readonly trigger: ReactNode;
  readonly title?: string;
  readonly actions?: readonly Action[];
  readonly groups?: readonly ActionGroup[];
  readonly onAction: (id: string) => void;
}): ReactNode {
  const disabled = groups.flatMap((group) => group.actions.filter((action) => action.disabled === true));
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles['popover'] ?? ''} offset={4}>
        <Menu
          className={styles['menu'] ?? ''}
          onAction={(key) => onAction(String(key))}
          disabledKeys={disabled.map(({ id }) => id)}
        >
          {groups.map((group) => (
            <MenuSection
              key={group.title ?? ''}
              {...(group.title === undefined ? { 'aria-label': 'Actions' } : {})}
            >
              {group.title === undefined ? null : <Header className={styles['title']}>{group.title}</Header>}
              {group.actions.map((action) => (
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
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
