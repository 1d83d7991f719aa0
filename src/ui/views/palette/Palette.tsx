import { type ReactNode, useState } from 'react';
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from 'react-aria-components';
import { availableCommands, type Command } from '../../model/commands.ts';
import { usePlayground } from '../../model/playground.ts';
import styles from './Palette.module.css';

/** Everything that can be done, by name: ⌘K or Ctrl+K. */
export default function Palette({ onClose }: { readonly onClose: () => void }): ReactNode {
  const playground = usePlayground();
  const { contains } = useFilter({ sensitivity: 'base' });
  const [commands] = useState(() => availableCommands(playground));
  const groups = [...new Set(commands.map((command) => command.group))];
  const run = (command: Command | undefined): void => {
    onClose();
    command?.run();
  };
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      className={styles['overlay'] ?? ''}
    >
      <Modal className={styles['modal'] ?? ''}>
        <Dialog className={styles['dialog'] ?? ''} aria-label="Commands">
          <Autocomplete filter={contains}>
            <SearchField aria-label="Find a command" className={styles['field'] ?? ''} autoFocus>
              <Input className={styles['input'] ?? ''} placeholder="What do you want to do?" />
            </SearchField>
            <Menu
              className={styles['menu'] ?? ''}
              onAction={(key) => run(commands.find((command) => command.id === key))}
              renderEmptyState={() => <p className={styles['none']}>Nothing of that name.</p>}
            >
              {groups.map((group) => (
                <MenuSection key={group}>
                  <Header className={styles['group']}>{group}</Header>
                  {commands
                    .filter((command) => command.group === group)
                    .map((command) => (
                      <MenuItem
                        key={command.id}
                        id={command.id}
                        textValue={command.label}
                        className={styles['item'] ?? ''}
                      >
                        {command.label}
                      </MenuItem>
                    ))}
                </MenuSection>
              ))}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
