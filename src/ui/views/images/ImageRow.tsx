import { Ellipsis } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { bytes } from '../../model/format.ts';
import type { StoredImage } from '../../model/images/image-store.ts';
import type { ImagesModel } from '../../model/images/images-model.ts';
import { addDisk, mentions, setOption } from '../../model/command-line-edits.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { Dialog } from '../../widgets/Dialog.tsx';
import styles from './ImagesView.module.css';

/** One image: what it is, whether the machine uses it, and what can be done with it. */
export function ImageRow({
  image,
  model,
}: {
  readonly image: StoredImage;
  readonly model: ImagesModel;
}): ReactNode {
  const { controller } = usePlayground();
  const [asking, setAsking] = useState<'delete' | 'reset' | undefined>(undefined);
  const commandLine = useController((state) => state.commandLine);
  const on = useController((state) => state.phase.kind === 'on');
  const named = mentions(commandLine, image.name);
  const template = model.manifest?.files[image.name] !== undefined;
  const edit = (text: string): void => controller.setCommandLine(text);
  return (
    <li className={styles['row']}>
      <span className={styles['name']}>{image.name}</span>
      <span className={styles['facts']}>
        {bytes(image.bytes)} · {image.modified.toLocaleDateString()} {named ? '· in the command line' : ''}
      </span>
      <ActionMenu
        trigger={
          <Button size="small" variant="quiet" icon={<Ellipsis />} aria-label={`Actions for ${image.name}`} />
        }
        actions={[
          {
            id: 'disk',
            label: 'Attach as a disk',
            note: 'adds -drive and -device',
            disabled: named || image.bytes % 512 !== 0,
          },
          { id: 'kernel', label: 'Boot as the kernel', note: 'sets -kernel' },
          { id: 'initrd', label: 'Use as the initrd', note: 'sets -initrd' },
          { id: 'export', label: 'Download', note: 'a copy on your computer' },
          {
            id: 'reset',
            label: 'Reset to the original',
            note: 'what the guest wrote is lost',
            disabled: !template || on,
          },
          { id: 'delete', label: 'Delete', disabled: on && named },
        ]}
        onAction={(id) => {
          if (id === 'disk') edit(addDisk(commandLine, image.name));
          else if (id === 'kernel') edit(setOption(commandLine, '-kernel', image.name));
          else if (id === 'initrd') edit(setOption(commandLine, '-initrd', image.name));
          else if (id === 'export') void model.export(image.name);
          else setAsking(id === 'reset' ? 'reset' : 'delete');
        }}
      />
      <Dialog
        title={asking === 'reset' ? `Reset ${image.name}?` : `Delete ${image.name}?`}
        open={asking !== undefined}
        onClose={() => setAsking(undefined)}
      >
        <p className={styles['question']}>
          {asking === 'reset'
            ? 'It is downloaded anew; everything the guest wrote to it is lost.'
            : template
              ? 'Everything the guest wrote to it is lost. The next power-on downloads the original.'
              : 'It is gone for good. Download it first if you may want it back.'}
        </p>
        <div className={styles['buttons']}>
          <Button onPress={() => setAsking(undefined)}>Keep it</Button>
          <Button
            variant="primary"
            onPress={() => {
              setAsking(undefined);
              void (asking === 'reset' ? model.fetch(image.name, image.name) : model.delete(image.name));
            }}
          >
            {asking === 'reset' ? 'Reset' : 'Delete'}
          </Button>
        </div>
      </Dialog>
    </li>
  );
}
