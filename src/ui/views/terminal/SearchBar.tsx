import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button } from '../../widgets/Button.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import styles from './TerminalView.module.css';

/** Finds text in the terminal's output: Enter goes up (towards older lines), Shift+Enter down. */
export function SearchBar({
  onFind,
  onClose,
}: {
  readonly onFind: (text: string, backwards: boolean) => boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [text, setText] = useState('');
  const [found, setFound] = useState(true);
  const find = (backwards: boolean): void => setFound(text === '' || onFind(text, backwards));
  return (
    <div className={styles['search']} role="search" aria-label="Search the terminal">
      <TextInput
        label="Search the output"
        hideLabel
        autoFocus
        value={text}
        onChange={(value) => {
          setText(value);
          setFound(true);
        }}
        error={found ? undefined : 'Not in the output'}
        onKeyDown={(event) => {
          if (event.key === 'Enter') find(!event.shiftKey);
          else if (event.key === 'Escape') onClose();
          else event.continuePropagation();
        }}
      />
      <Button size="small" variant="quiet" icon={<ArrowUp />} tip="Older" onPress={() => find(true)} />
      <Button size="small" variant="quiet" icon={<ArrowDown />} tip="Newer" onPress={() => find(false)} />
      <Button size="small" variant="quiet" icon={<X />} tip="Close" onPress={onClose} />
    </div>
  );
}
