import { ChevronRight } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { Button as AriaButton, Collection, Tree, TreeItem, TreeItemContent } from 'react-aria-components';
import type { Vm } from '../../../engine/vm.ts';
import { messageOf } from '../../model/problem.ts';
import { useController } from '../../model/playground.ts';
import { listQom, type QomNode } from '../../model/qom.ts';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { QomProperties } from './QomProperties.tsx';
import styles from './QomView.module.css';

interface Branch {
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly children: readonly Branch[];
}

/** The composition tree, and the properties of the object chosen; both read and changed through QMP. */
export default function QomView(): ReactNode {
  const vm = useController((state) => (state.phase.kind === 'on' ? state.phase.vm : undefined));
  if (vm === undefined) return <Pane>The objects of the machine appear here when it is on.</Pane>;
  return <Explorer vm={vm} />;
}

function Explorer({ vm }: { readonly vm: Vm }): ReactNode {
  const [nodes, setNodes] = useState<ReadonlyMap<string, QomNode>>(new Map());
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set(['/', '/machine', '/objects']));
  const [chosen, setChosen] = useState('/machine');
  const [error, setError] = useState<string | undefined>(undefined);

  const load = useCallback(
    (paths: Iterable<string>): Promise<void> =>
      listAll(vm, paths).then((listed) => {
        setNodes((old) => new Map([...old, ...listed.nodes].filter(([path]) => !listed.gone.has(path))));
        setError(listed.error);
      }),
    [vm],
  );
  useEffect(() => {
    void load(['/', '/machine', '/objects']);
  }, [load]);

  const branch = (path: string, name: string, type: string): Branch => ({
    path,
    name,
    type,
    children: (nodes.get(path)?.children ?? []).map((child) => branch(child.path, child.name, child.type)),
  });
  const root = branch('/', '/', 'container');
  const choose = (path: string): void => {
    setChosen(path);
    if (!nodes.has(path)) void load([path]);
  };
  const node = nodes.get(chosen);
  return (
    <Pane
      about={error ?? chosen}
      actions={
        <Button size="small" variant="quiet" onPress={() => void load(new Set([...expanded, chosen]))}>
          Read again
        </Button>
      }
      flush
    >
      <div className={styles['split']}>
        <Tree
          aria-label="QOM composition tree"
          className={styles['tree'] ?? ''}
          items={[root]}
          selectionMode="single"
          selectionBehavior="replace"
          selectedKeys={[chosen]}
          onSelectionChange={(keys) => {
            const [first] = keys === 'all' ? [] : [...keys];
            if (first !== undefined) choose(String(first));
          }}
          expandedKeys={expanded}
          onExpandedChange={(keys) => {
            const next = new Set([...keys].map(String));
            void load([...next].filter((path) => !nodes.has(path)));
            setExpanded(next);
          }}
        >
          {renderBranch}
        </Tree>
        <QomProperties key={chosen} vm={vm} path={chosen} properties={node?.properties ?? []} />
      </div>
    </Pane>
  );
}

/** Lists several objects; one may go while it is being looked at. */
async function listAll(
  vm: Vm,
  paths: Iterable<string>,
): Promise<{ nodes: [string, QomNode][]; gone: Set<string>; error: string | undefined }> {
  const nodes: [string, QomNode][] = [];
  const gone = new Set<string>();
  let error: string | undefined;
  for (const path of paths) {
    try {
      nodes.push([path, await listQom(vm, path)]);
    } catch (failure) {
      gone.add(path);
      if (path === '/') error = messageOf(failure);
    }
  }
  return { nodes, gone, error };
}

function renderBranch(item: Branch): ReactNode {
  return (
    <TreeItem
      key={item.path}
      id={item.path}
      textValue={item.name}
      className={styles['item'] ?? ''}
      hasChildItems
    >
      <TreeItemContent>
        {({ level }) => (
          <div className={styles['line']} style={{ paddingLeft: (level - 1) * 14 }}>
            <AriaButton slot="chevron" className={styles['chevron'] ?? ''}>
              <ChevronRight aria-hidden="true" />
            </AriaButton>
            <span className={styles['names']}>
              <span className={styles['name']}>{item.name}</span>
              <span className={styles['type']}>{item.type}</span>
            </span>
          </div>
        )}
      </TreeItemContent>
      <Collection items={item.children}>{renderBranch}</Collection>
    </TreeItem>
  );
}
