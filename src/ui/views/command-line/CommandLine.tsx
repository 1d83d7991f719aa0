import { type ReactNode, useState } from 'react';
import { TextArea, TextField } from 'react-aria-components';
import { splitArgv } from '../../model/argv.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import styles from './CommandLine.module.css';

/** The machine as QEMU-style arguments. Editing changes nothing until it is applied, which restarts the machine. */
export function CommandLine({ defaultText }: { readonly defaultText: string }): ReactNode {
  const { controller } = usePlayground();
  const text = useController((state) => state.commandLine);
  const applied = useController((state) => state.applied);
  const phase = useController((state) => state.phase.kind);
  const [copied, setCopied] = useState(false);
  const changed = applied !== undefined && text !== applied;
  const split = splitArgv(text);
  return (
    <Pane
      about={
        split.ok
          ? changed
            ? 'edited; applies when the machine restarts'
            : phase === 'on'
              ? 'the machine that runs'
              : 'the machine to be built'
          : split.message
      }
      actions={
        <>
          {changed ? (
            <Button size="small" variant="quiet" onPress={() => controller.setCommandLine(applied)}>
              Revert
            </Button>
          ) : null}
          {!changed && text !== defaultText ? (
            <Button size="small" variant="quiet" onPress={() => controller.setCommandLine(defaultText)}>
              Default
            </Button>
          ) : null}
          <Button
            size="small"
            variant="quiet"
            onPress={() => {
              void navigator.clipboard.writeText(text).then(
                () => setCopied(true),
                () => setCopied(false),
              );
              setTimeout(() => setCopied(false), 1500);
            }}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
          <Button
            size="small"
            variant={changed ? 'primary' : 'plain'}
            isDisabled={!split.ok || phase === 'preparing' || phase === 'building' || phase === 'stopping'}
            onPress={() => void controller.powerOn()}
          >
            {phase === 'on' ? 'Apply and restart' : 'Power on'}
          </Button>
        </>
      }
      flush
    >
      <TextField
        aria-label="QEMU-style command line"
        value={text}
        onChange={(value) => controller.setCommandLine(value)}
        className={styles['field'] ?? ''}
      >
        <TextArea
          className={styles['area'] ?? ''}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
        />
      </TextField>
    </Pane>
  );
}
