import { FilePlus2, FolderInput } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { DropZone, FileTrigger } from 'react-aria-components';
import { useStore } from 'zustand';
import { bytes } from '../../model/format.ts';
import type { ImagesModel } from '../../model/images/images-model.ts';
import { Button } from '../../widgets/Button.tsx';
import { ErrorPanel } from '../../widgets/ErrorPanel.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { ProgressRow } from '../../widgets/ProgressRow.tsx';
import { CreateImageDialog } from './CreateImageDialog.tsx';
import { ImageRow } from './ImageRow.tsx';
import styles from './ImagesView.module.css';

/** The disks, kernels and other files this browser keeps for the machine. Files can be dropped on it. */
export default function ImagesView({ model }: { readonly model: ImagesModel }): ReactNode {
  const { images, usedBytes, quotaBytes, persisted, task, problem } = useStore(model.store);
  const [creating, setCreating] = useState(false);
  useEffect(() => void model.refresh(), [model]);
  const importAll = async (files: readonly File[]): Promise<void> => {
    for (const file of files) await model.import(file);
  };
  return (
    <Pane
      about={
        quotaBytes === 0
          ? null
          : `${bytes(usedBytes)} of ${bytes(quotaBytes)} used${persisted ? ', kept for good' : ''}`
      }
      actions={
        <>
          {persisted ? null : (
            <Button
              size="small"
              variant="quiet"
              tip="Ask the browser not to clear these files when the computer runs short of room"
              onPress={() => void model.persist()}
            >
              Keep for good
            </Button>
          )}
          <Button
            size="small"
            icon={<FilePlus2 />}
            isDisabled={task !== undefined}
            onPress={() => setCreating(true)}
          >
            Create
          </Button>
          <FileTrigger allowsMultiple onSelect={(list) => void importAll([...(list ?? [])])}>
            <Button size="small" icon={<FolderInput />} isDisabled={task !== undefined}>
              Import
            </Button>
          </FileTrigger>
        </>
      }
    >
      <DropZone
        className={styles['drop'] ?? ''}
        aria-label="Drop files here to import them"
        onDrop={({ items }) => {
          const files = items.flatMap((item) => (item.kind === 'file' ? [item.getFile()] : []));
          void Promise.all(files).then(importAll);
        }}
      >
        {problem === undefined ? null : (
          <ErrorPanel
            key={problem.title}
            title={problem.title}
            detail={problem.detail}
            hint={problem.hint}
            ways={[{ label: 'Dismiss', onPress: () => model.dismiss() }]}
          />
        )}
        {task === undefined ? null : (
          <div className={styles['task']}>
            <ProgressRow
              label={task.label}
              amount={task.totalBytes === 0 ? '' : `${bytes(task.doneBytes)} of ${bytes(task.totalBytes)}`}
              share={task.totalBytes === 0 ? undefined : task.doneBytes / task.totalBytes}
            />
            <Button size="small" onPress={() => model.cancel()}>
              Cancel
            </Button>
          </div>
        )}
        {images.length === 0 ? (
          <p className={styles['empty']}>
            No images yet. The machine’s own are downloaded when it is first powered on; drop a kernel, initrd
            or raw disk here to bring your own.
          </p>
        ) : (
          <ul className={styles['list']} aria-label="Images">
            {images.map((image) => (
              <ImageRow key={image.name} image={image} model={model} />
            ))}
          </ul>
        )}
      </DropZone>
      <CreateImageDialog model={model} open={creating} onClose={() => setCreating(false)} />
    </Pane>
  );
}
