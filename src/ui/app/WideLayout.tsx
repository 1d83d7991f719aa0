import type { ReactNode } from 'react';
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels';
import { loadSettings, saveSettings } from '../model/settings.ts';
import styles from './App.module.css';

const remember =
  (group: string) =>
  (layout: Layout): void =>
    saveSettings({ layout: { ...loadSettings().layout, [group]: layout } });

/** Board on the left, guest and command line on the right; all borders can be moved and are remembered. */
export function WideLayout({
  contexts,
  terminal,
  commandLine,
}: {
  readonly contexts: ReactNode;
  readonly terminal: ReactNode;
  readonly commandLine: ReactNode;
}): ReactNode {
  const { layout } = loadSettings();
  return (
    <Group id="columns" defaultLayout={layout['columns']} onLayoutChanged={remember('columns')}>
      <Panel id="board" defaultSize="54%" minSize="30%">
        {contexts}
      </Panel>
      <Separator className={styles['splitterX'] ?? ''} aria-label="Between contexts and terminal" />
      <Panel id="right" minSize="25%">
        <Group
          id="right-rows"
          orientation="vertical"
          defaultLayout={layout['right-rows']}
          onLayoutChanged={remember('right-rows')}
        >
          <Panel id="terminal" defaultSize="66%" minSize="20%">
            {terminal}
          </Panel>
          <Separator className={styles['splitterY'] ?? ''} aria-label="Between terminal and command line" />
          <Panel id="command-line" minSize="15%">
            {commandLine}
          </Panel>
        </Group>
      </Panel>
    </Group>
  );
}
