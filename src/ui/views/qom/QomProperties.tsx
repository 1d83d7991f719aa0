import { type ReactNode, useEffect, useState } from 'react';
import type { Vm } from '../../../engine/vm.ts';
import { say } from '../../model/announcer.ts';
import { getQom, type QomProperty, setQom } from '../../model/qom.ts';
import { Button } from '../../widgets/Button.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import styles from './QomView.module.css';

/** The properties of one object: read once, changed with `qom-set`, whose refusal is shown where it was typed. */
export function QomProperties({
  vm,
  path,
  properties,
}: {
  readonly vm: Vm;
  readonly path: string;
  readonly properties: readonly QomProperty[];
}): ReactNode {
  return (
    <div className={styles['properties']} role="region" aria-label={`Properties of ${path}`} tabIndex={0}>
      {properties.length === 0 ? (
        <p className={styles['none']}>No properties.</p>
      ) : (
        <table className={styles['table']}>
          <thead>
            <tr>
              <th scope="col">property</th>
              <th scope="col">type</th>
              <th scope="col">value</th>
            </tr>
          </thead>
          <tbody>
            {properties.map((property) => (
              <PropertyRow key={property.name} vm={vm} path={path} property={property} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function PropertyRow({
  vm,
  path,
  property,
}: {
  readonly vm: Vm;
  readonly path: string;
  readonly property: QomProperty;
}): ReactNode {
  const [value, setValue] = useState<string | undefined>(undefined);
  const [draft, setDraft] = useState<string | undefined>(undefined);
  const [error, setError] = useState<string | undefined>(undefined);
  useEffect(() => {
    let current = true;
    void getQom(vm, path, property.name).then((got) => {
      if (current) setValue(got.text);
    });
    return () => {
      current = false;
    };
  }, [vm, path, property.name]);

  const apply = async (): Promise<void> => {
    if (draft === undefined) return;
    const refusal = await setQom(vm, path, property.name, draft);
    setError(refusal);
    if (refusal !== undefined) return;
    say(`${property.name} set`);
    setDraft(undefined);
    setValue((await getQom(vm, path, property.name)).text);
  };
  const fixed = property.name === 'type' || property.type.startsWith('link<');
  return (
    <tr>
      <th scope="row">{property.name}</th>
      <td className={styles['type']}>{property.type}</td>
      <td>
        {draft === undefined ? (
          <span className={styles['value']}>
            <code>{value ?? '…'}</code>
            {fixed || value === undefined ? null : (
              <Button
                size="small"
                variant="quiet"
                aria-label={`Edit ${property.name}`}
                onPress={() => setDraft(value.startsWith('"') ? String(JSON.parse(value)) : value)}
              >
                Edit
              </Button>
            )}
          </span>
        ) : (
          <form
            className={styles['edit']}
            onSubmit={(event) => {
              event.preventDefault();
              void apply();
            }}
          >
            <TextInput
              label={`Value of ${property.name}`}
              hideLabel
              mono
              autoFocus
              value={draft}
              onChange={setDraft}
              error={error}
              onKeyDown={(event) => {
                if (event.key === 'Escape') setDraft(undefined);
                else event.continuePropagation();
              }}
            />
            <Button size="small" type="submit" variant="primary">
              Set
            </Button>
            <Button
              size="small"
              variant="quiet"
              onPress={() => {
                setDraft(undefined);
                setError(undefined);
              }}
            >
              Cancel
            </Button>
          </form>
        )}
      </td>
    </tr>
  );
}
