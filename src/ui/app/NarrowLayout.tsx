import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import type { NarrowTab } from './App.tsx';
import styles from './App.module.css';

/** One panel at a time, chosen by tabs within the thumb's reach. All stay mounted. */
export function NarrowLayout({
  contexts,
  terminal,
  commandLine,
  tab,
  onTab,
}: {
  readonly contexts: ReactNode;
  readonly terminal: ReactNode;
  readonly commandLine: ReactNode;
  readonly tab: NarrowTab;
  readonly onTab: (tab: NarrowTab) => void;
}): ReactNode {
  const tabs: readonly (readonly [NarrowTab, string, ReactNode])[] = [
    ['loops', 'Loops', contexts],
    ['guest', 'Guest', terminal],
    ['more', 'Command line', commandLine],
  ];
  return (
    <Tabs
      className={styles['narrow'] ?? ''}
      selectedKey={tab}
      onSelectionChange={(key) => onTab(tabs.find(([id]) => id === key)?.[0] ?? 'loops')}
    >
      <TabList className={styles['tabs'] ?? ''} aria-label="Panels">
        {tabs.map(([id, label]) => (
          <Tab key={id} id={id} className={styles['tab'] ?? ''}>
            {label}
          </Tab>
        ))}
      </TabList>
      {tabs.map(([id, , panel]) => (
        <TabPanel key={id} id={id} shouldForceMount className={styles['narrowPanel'] ?? ''}>
          {panel}
        </TabPanel>
      ))}
    </Tabs>
  );
}
