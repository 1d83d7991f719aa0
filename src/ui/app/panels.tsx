import { lazy, type ReactNode, Suspense } from 'react';
import { INSPECTOR } from '../model/commands.ts';
import { guestChoices } from '../model/images/guest-choices.ts';
import type { ImagesModel } from '../model/images/images-model.ts';
import type { ThemeName } from '../tokens.ts';
import { Guard } from '../widgets/Guard.tsx';
import { Panel } from '../widgets/Panel.tsx';
import type { PanelTab } from '../widgets/TabbedPanel.tsx';

// What is not seen at first is not loaded at first.
const RingView = lazy(() => import('../views/ring/RingView.tsx'));
const FlowView = lazy(() => import('../views/flow/FlowView.tsx'));
const WaterfallView = lazy(() => import('../views/waterfall/WaterfallView.tsx'));
const HeatMapView = lazy(() => import('../views/heat-map/HeatMapView.tsx'));
const TraceEventsView = lazy(() => import('../views/trace-events/TraceEventsView.tsx'));
const TimelineView = lazy(() => import('../views/timeline/TimelineView.tsx'));
const TablesView = lazy(() => import('../views/tables/TablesView.tsx'));
const QomView = lazy(() => import('../views/qom/QomView.tsx'));
const CommandLine = lazy(() => import('../views/command-line/CommandLine.tsx'));
const MonitorView = lazy(() => import('../views/monitor/MonitorView.tsx'));
const ImagesView = lazy(() => import('../views/images/ImagesView.tsx'));

/** Tabs of the inspector. */
export function inspectorTabs(theme: ThemeName): readonly PanelTab[] {
  return [
    { id: 'ring', label: INSPECTOR.ring, content: <RingView theme={theme} /> },
    { id: 'flow', label: INSPECTOR.flow, content: <FlowView /> },
    { id: 'waterfall', label: INSPECTOR.waterfall, content: <WaterfallView /> },
    { id: 'heat-map', label: INSPECTOR['heat-map'], content: <HeatMapView theme={theme} /> },
    { id: 'tables', label: INSPECTOR.tables, content: <TablesView /> },
    { id: 'qom', label: INSPECTOR.qom, content: <QomView /> },
    { id: 'events', label: INSPECTOR.events, content: <TraceEventsView /> },
  ];
}

/** Tabs beside the terminal. */
export function toolTabs(defaultCommandLine: string, images: ImagesModel): readonly PanelTab[] {
  return [
    {
      id: 'command-line',
      label: 'Command line',
      content: <CommandLine defaultText={defaultCommandLine} guests={guestChoices(images.manifest)} />,
    },
    { id: 'monitor', label: 'Monitor', content: <MonitorView /> },
    { id: 'images', label: 'Images', content: <ImagesView model={images} /> },
  ];
}

/** The timeline, across the page. */
export function TimelinePanel({ theme }: { readonly theme: ThemeName }): ReactNode {
  return (
    <Guard name="Timeline">
      <Suspense fallback={<Panel title="Timeline">{null}</Panel>}>
        <TimelineView theme={theme} />
      </Suspense>
    </Guard>
  );
}
