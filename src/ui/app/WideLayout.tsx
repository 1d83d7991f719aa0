import { type ReactNode, useId } from 'react';
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels';
import { useStore } from 'zustand';
import { layout as layoutStore, moveSplit, splitOf } from '../model/layout.ts';
import styles from './App.module.css';

/** Panels in the order of the page; borders can be moved and are remembered per arrangement. */
export function WideLayout({
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
  const preset = useStore(layoutStore, (state) => state.preset);
  switch (preset) {
    case 'start':
      return (
        <Split name="start" direction="horizontal" first={contexts} share={54}>
          <Split name="start-right" direction="vertical" first={terminal} share={66}>
            {tools}
          </Split>
        </Split>
      );
    case 'inspect':
      return (
        <Split
          name="inspect-rows"
          direction="vertical"
          first={
            <Split name="inspect" direction="horizontal" first={contexts} share={46}>
              <Split name="inspect-right" direction="vertical" first={inspector} share={62}>
                {terminal}
              </Split>
            </Split>
          }
          share={66}
        >
          {timeline}
        </Split>
      );
    case 'overview':
      return (
        <Split
          name="overview-3"
          direction="vertical"
          first={
            <Split name="overview-top" direction="horizontal" first={contexts} share={50}>
              {inspector}
            </Split>
          }
          share={52}
        >
          <Split name="overview-2" direction="vertical" first={timeline} share={42}>
            <Split name="overview-bottom" direction="horizontal" first={terminal} share={56}>
              {tools}
            </Split>
          </Split>
        </Split>
      );
  }
}

/** What each border is between, for who can't see it. */
const BETWEEN = {
  start: 'contexts and guest',
  'start-right': 'guest and machine',
  'inspect-rows': 'inspector and timeline',
  inspect: 'contexts and inspector',
  'inspect-right': 'inspector and guest',
  'overview-3': 'contexts and timeline',
  'overview-top': 'contexts and inspector',
  'overview-2': 'timeline and guest',
  'overview-bottom': 'guest and machine',
} as const;

/** Two parts with a movable border; `share` is the first one's percentage until the user moves it. */
function Split({
  name,
  direction,
  first,
  share,
  children,
}: {
  readonly name: keyof typeof BETWEEN;
  readonly direction: 'horizontal' | 'vertical';
  readonly first: ReactNode;
  readonly share: number;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  const remember = (layout: Layout): void => {
    const size = layout[`${id}a`];
    // Told at first as well: what nobody moved keeps following the arrangement.
    if (size !== undefined && Math.abs(size - splitOf(name, share)) > 0.1) moveSplit(name, size);
  };
  const size = splitOf(name, share);
  return (
    <Group id={id} orientation={direction} onLayoutChanged={remember}>
      <Panel id={`${id}a`} defaultSize={`${size}%`} minSize="15%">
        {first}
      </Panel>
      <Separator
        className={(direction === 'horizontal' ? styles['splitterX'] : styles['splitterY']) ?? ''}
        aria-label={`Resize ${BETWEEN[name]}`}
      />
      <Panel id={`${id}b`} minSize="15%">
        {children}
      </Panel>
    </Group>
  );
}
