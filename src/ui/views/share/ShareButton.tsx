import { Share2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useStore } from 'zustand';
import { layout } from '../../model/layout.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { encodeShared } from '../../model/share.ts';
import { Button } from '../../widgets/Button.tsx';
import { Dialog } from '../../widgets/Dialog.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import styles from './ShareButton.module.css';

/** Makes a link to this configuration: the command line and the arrangement, never the content of disks. */
export function ShareButton(): ReactNode {
  const commandLine = useController((state) => state.commandLine);
  const { preset, inspector, tools, splits } = useStore(layout);
  const [link, setLink] = useState<string | undefined>(undefined);
  const [copied, setCopied] = useState(false);
  const { guide } = usePlayground();
  const { shown, scenario } = useStore(guide.store);
  const open = async (): Promise<void> => {
    const steps = shown ? { scenario: scenario.id, step: guide.step?.id } : {};
    const hash = await encodeShared({ commandLine, preset, inspector, tools, splits, ...steps });
    setCopied(false);
    setLink(`${location.origin}${location.pathname}${hash}`);
  };
  return (
    <>
      <Button
        variant="quiet"
        icon={<Share2 />}
        tip="Share this configuration as a link"
        onPress={() => void open()}
      />
      <Dialog
        title="A link to this configuration"
        open={link !== undefined}
        onClose={() => setLink(undefined)}
      >
        <p className={styles['text']}>
          It carries the command line, which panels are shown and how large
          {shown ? `, and the scenario “${scenario.title}” at its present step` : ''}. Disks stay in this
          browser; whoever opens it gets fresh ones.
        </p>
        <TextInput
          label="Link"
          value={link ?? ''}
          isReadOnly
          mono
          autoFocus
          onFocus={(event) => (event.target as HTMLInputElement).select()}
        />
        <div className={styles['buttons']}>
          <Button onPress={() => setLink(undefined)}>Close</Button>
          <Button
            variant="primary"
            onPress={() => {
              void navigator.clipboard.writeText(link ?? '').then(
                () => setCopied(true),
                () => setCopied(false),
              );
            }}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
