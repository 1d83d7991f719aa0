import { type ReactNode, Suspense } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { Guard } from './Guard.tsx';
import styles from './TabbedPanel.module.css';

export interface PanelTab {
  readonly id: string;
  readonly label: string;
  readonly content: ReactNode;
}

/** A region of the page with several views, one shown. Only the shown one is mounted. */
export function TabbedPanel({
  label,
  tabs,
  selected,
  onSelect,
}: {
  readonly label: string;
  readonly tabs: readonly PanelTab[];
  readonly selected: string;
  readonly onSelect: (id: string) => void;
}): ReactNode {
  return (
    <section className={styles['panel']} aria-label={label}>
      <Tabs
        className={styles['tabs'] ?? ''}
        // A tab remembered by another version may not exist.
        selectedKey={tabs.some((tab) => tab.id === selected) ? selected : (tabs[0]?.id ?? '')}
        onSelectionChange={(key) => onSelect(String(key))}
        keyboardActivation="manual"
      >
        <TabList className={styles['list'] ?? ''} aria-label={label}>
          {tabs.map((tab) => (
            <Tab key={tab.id} id={tab.id} className={styles['tab'] ?? ''}>
              {tab.label}
            </Tab>
          ))}
        </TabList>
        {tabs.map((tab) => (
          <TabPanel key={tab.id} id={tab.id} className={styles['content'] ?? ''}>
            <Guard name={tab.label}>
              <Suspense fallback={<p className={styles['loading']}>Loading…</p>}>{tab.content}</Suspense>
            </Guard>
          </TabPanel>
        ))}
      </Tabs>
    </section>
  );
}
