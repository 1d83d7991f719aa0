import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { useStore } from 'zustand';
import { layout } from '../model/layout.ts';
import styles from './App.module.css';

/** One panel at a time, chosen by tabs within the thumb's reach. */
export function NarrowLayout({
  contexts,
  inspector,
  timeline,
  terminal,
  tools,
}: {
  readonly contexts: ReactNode;
  readonly inspector: ReactNode;
  readonly timeline: ReactNode;
  readonly terminal: ReactNode;
  readonly tools: ReactNode;
}): ReactNode {
  const selected = useStore(layout, (state) => state.narrow);
  const tabs: readonly (readonly [string, string, ReactNode])[] = [
    ['loops', 'Loops', contexts],
    ['request', 'Request', inspector],
    ['time', 'Time', timeline],
    ['guest', 'Guest', terminal],
    ['more', 'More', tools],
  ];
  return (
    <Tabs
      className={styles['narrow'] ?? ''}
      selectedKey={selected}
      onSelectionChange={(key) => layout.setState({ narrow: String(key) })}
    >
      <TabList className={styles['tabs'] ?? ''} aria-label="Panels">
        {tabs.map(([id, label]) => (
          <Tab key={id} id={id} className={styles['tab'] ?? ''}>
            {label}
          </Tab>
        ))}
      </TabList>
      {tabs.map(([id, , panel]) => (
        <TabPanel key={id} id={id} className={styles['narrowPanel'] ?? ''}>
          {panel}
        </TabPanel>
      ))}
    </Tabs>
  );
}
