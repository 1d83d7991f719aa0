import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { bytes } from '../../model/format.ts';
import { type ImagesModel, parseSize } from '../../model/images/images-model.ts';
import { Button } from '../../widgets/Button.tsx';
import { Dialog } from '../../widgets/Dialog.tsx';
import { Select } from '../../widgets/Select.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import styles from './ImagesView.module.css';

const EMPTY = 'empty';

/** A new disk: empty of a size, or a fresh copy of one the server offers. */
export function CreateImageDialog({
  model,
  open,
  onClose,
}: {
  readonly model: ImagesModel;
  readonly open: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState('data.img');
  const [size, setSize] = useState('64 MiB');
  const [template, setTemplate] = useState(EMPTY);
  const disks = Object.values(model.manifest?.disks ?? {});
  const nameError = name === '' ? 'Give it a name' : model.nameProblem(name);
  const sizeBytes = parseSize(size);
  const chosen = model.manifest?.files[template];
  return (
    <Dialog title="Create a disk" open={open} onClose={onClose}>
      <Form
        className={styles['form'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault();
          if (nameError !== undefined) return;
          if (chosen !== undefined) void model.fetch(template, name);
          else if (sizeBytes !== undefined) void model.create(name, sizeBytes);
          else return;
          onClose();
        }}
      >
        <TextInput label="Name" value={name} onChange={setName} error={nameError} mono autoFocus />
        {disks.length === 0 ? null : (
          <Select
            label="Content"
            showLabel
            value={template}
            onChange={setTemplate}
            choices={[
              { id: EMPTY, label: 'Empty' },
              ...disks.map((disk) => ({ id: disk.file, label: `Copy of ${disk.title}` })),
            ]}
          />
        )}
        {chosen === undefined ? (
          <TextInput
            label="Size"
            value={size}
            onChange={setSize}
            error={
              sizeBytes === undefined ? 'A size such as 64 MiB or 4 GiB, a multiple of 512 bytes' : undefined
            }
          />
        ) : (
          <p className={styles['question']}>{bytes(chosen.bytes)}</p>
        )}
        <div className={styles['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            variant="primary"
            type="submit"
            isDisabled={nameError !== undefined || (chosen === undefined && sizeBytes === undefined)}
          >
            Create
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
