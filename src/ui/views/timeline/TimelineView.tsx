import {
  AlignLeft,
  ChevronLeft,
  ChevronRight,
  Download,
  Maximize2,
  Radio,
  Snowflake,
  Table2,
  ZoomIn,
  ZoomOut,
} from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useId, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { say, tell } from '../../model/announcer.ts';
import { count, duration } from '../../model/format.ts';
import { useBoardShape, usePlayground } from '../../model/playground.ts';
import { type BridgeOutcome, openInPerfetto } from '../../model/trace/perfetto-bridge.ts';
import type { RecordRow, Statistics, TimelineStatus } from '../../model/trace/protocol.ts';
import { LANE, RULER } from '../../model/trace/timeline-geometry.ts';
import type { TimelineCommand } from '../../model/trace/timeline-view.ts';
import { useTraceCanvas } from '../../model/trace/use-trace-canvas.ts';
import type { ThemeName } from '../../tokens.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import { useOnline } from '../../widgets/use-online.ts';
import { StatisticsTables } from './StatisticsTables.tsx';
import styles from './TimelineView.module.css';
import { useTimelineGestures } from './use-timeline-gestures.ts';

const EXPORTS = [
  { id: 'perfetto', label: 'Perfetto trace', note: 'saves a .pftrace file' },
  { id: 'jsonl', label: 'JSON lines', note: 'saves one record per line' },
];
const OPEN = {
  id: 'open',
  label: 'Open in Perfetto',
  note: 'in another tab, at ui.perfetto.dev: needs the network',
};
/** Records listed in the table beside the picture. */
const LISTED = 200;
const REFRESH_MS = 400;

/** What every thread of the machine did, to the microsecond. */
export default function TimelineView({ theme }: { readonly theme: ThemeName }): ReactNode {
  const { trace, requests } = usePlayground();
  const frozen = useStore(trace.store, (state) => state.frozen);
  const [status, setStatus] = useState<TimelineStatus | undefined>(undefined);
  // One that is shown only now may have been asked for something.
  const [filter, setFilter] = useState(() => trace.timeline.getState().wish?.filter ?? '');
  const [table, setTable] = useState(false);
  const [tables, setTables] = useState<
    { readonly statistics: Statistics; readonly records: readonly RecordRow[] } | undefined
  >(undefined);
  const board = useBoardShape();
  const [lanes, setLanes] = useState(0);
  // More lanes than there is room for are scrolled to; those of a machine that is gone stay.
  const onBoard = board === undefined ? lanes : board.contexts.length + board.harts.length;
  if (onBoard !== lanes) setLanes(onBoard);
  const heading = useId();
  const search = useRef<HTMLDivElement>(null);
  const spoken = useRef<string | undefined>(undefined);

  const [host, opened] = useTraceCanvas(trace.openTimeline, theme, (next: TimelineStatus) => {
    // React hears of what changes the page; the text is written without it.
    setStatus((old) => (old !== undefined && samePage(old, next) ? old : next));
    if (next.cursor !== undefined && next.cursor !== spoken.current) say(next.cursor);
    spoken.current = next.cursor;
  });
  const canvas = opened?.canvas;
  const send = (command: TimelineCommand): void => {
    canvas?.command(command);
    if (command.do === 'follow' && command.on && frozen) trace.freeze(false);
  };
  const { wish } = useStore(trace.timeline);
  useEffect(
    () => trace.timeline.subscribe((asked) => asked.wish !== undefined && setFilter(asked.wish.filter)),
    [trace],
  );
  useEffect(() => {
    if (canvas === undefined || wish === undefined) return;
    canvas.command({ do: 'filter', text: wish.filter });
    canvas.command({ do: 'range', from: wish.from, to: wish.to });
    trace.timeline.setState({ wish: undefined });
  }, [trace, canvas, wish]);
  const openRequest = (): void => {
    if (status?.request === undefined) tell('No request at the cursor');
    else void requests.inWaterfallById(status.request);
  };
  const gestures = useTimelineGestures(opened?.host, send, {
    search: () => search.current?.querySelector('input')?.focus(),
    request: openRequest,
  });

  const shown = table || status?.selection !== undefined;
  const selected = status?.selection;
  const refresh = useEffectEvent(async () => {
    if (canvas === undefined) return;
    const [statistics, records] = await Promise.all([
      trace.ask({ ask: 'statistics', id: canvas.id }),
      trace.ask({ ask: 'records', id: canvas.id, limit: LISTED }),
    ]);
    if (statistics !== undefined && records !== undefined) setTables({ statistics, records });
  });
  const following = status?.follow === true && selected === undefined;
  useEffect(() => {
    if (!shown) return;
    const timer = setInterval(() => void refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [shown]);

  const online = useOnline();
  const openThere = async (): Promise<void> => {
    tell('Putting the trace together');
    const outcome = await openInPerfetto(new URL(document.baseURI), () =>
      trace.ask({ ask: 'export', format: 'perfetto' }),
    );
    tell(OUTCOMES[outcome]);
    // Where no tab could be opened the file is still to be had.
    if (outcome === 'blocked' || outcome === 'no-bridge') await save('perfetto');
  };
  const save = async (format: 'jsonl' | 'perfetto'): Promise<void> => {
    tell('Putting the trace together');
    const file = await trace.ask({ ask: 'export', format });
    if (file === undefined) return;
    const url = URL.createObjectURL(file.blob);
    const link = document.createElement('a');
    link.href = url;
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    tell(`Saved ${file.name}`);
  };

  return (
    <section className={styles['timeline']} aria-labelledby={heading}>
      <div className={styles['bar']}>
        <h2 className={styles['heading']} id={heading}>
          Timeline
        </h2>
        <div className={styles['search']} ref={search}>
          <TextInput
            label="Search events, sources, #request"
            hideLabel
            placeholder="Search: event, #request"
            value={filter}
            onChange={(text) => {
              setFilter(text);
              send({ do: 'filter', text });
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter')
                send({ do: 'step', by: event.shiftKey ? -1 : 1, extend: false, anyLane: true });
              else event.continuePropagation();
            }}
          />
        </div>
        <p className={styles['about']}>
          {canvas === undefined ? null : <LiveText feed={canvas.onStatus} read={inWords} />}
        </p>
        {status?.request === undefined ? null : (
          <Button
            size="small"
            icon={<AlignLeft aria-hidden="true" />}
            tip="Its stages in the waterfall (R)"
            onPress={openRequest}
          >
            #{status.request}
          </Button>
        )}
        <div className={styles['actions']} role="group" aria-label="Timeline view">
          <Button
            size="small"
            variant="quiet"
            icon={<ChevronLeft aria-hidden="true" />}
            tip="Earlier (A)"
            onPress={() => send({ do: 'pan', by: -0.3 })}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<ChevronRight aria-hidden="true" />}
            tip="Later (D)"
            onPress={() => send({ do: 'pan', by: 0.3 })}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<ZoomIn aria-hidden="true" />}
            tip="Zoom in (W)"
            onPress={() => send({ do: 'zoom', factor: 0.5, at: undefined })}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<ZoomOut aria-hidden="true" />}
            tip="Zoom out (S)"
            onPress={() => send({ do: 'zoom', factor: 2, at: undefined })}
          />
          <Button
            size="small"
            variant="quiet"
            icon={<Maximize2 aria-hidden="true" />}
            tip={status?.selection === undefined ? 'Everything that is kept (Home)' : 'Zoom to the selection'}
            onPress={() =>
              send(status?.selection === undefined ? { do: 'all' } : { do: 'range', ...status.selection })
            }
          />
          <Button
            size="small"
            variant={following ? 'plain' : 'quiet'}
            icon={<Radio aria-hidden="true" />}
            tip="Follow what happens now (End)"
            onPress={() => send({ do: 'follow', on: true })}
          >
            Live
          </Button>
          <Button
            size="small"
            variant={frozen ? 'primary' : 'quiet'}
            icon={<Snowflake aria-hidden="true" />}
            tip="Hold the display; the machine runs on. What comes meanwhile is counted, not kept."
            aria-pressed={frozen}
            onPress={() => trace.freeze(!frozen)}
          >
            {frozen ? 'Frozen' : 'Freeze'}
          </Button>
          <Button
            size="small"
            variant={table ? 'plain' : 'quiet'}
            icon={<Table2 aria-hidden="true" />}
            tip="The same as tables"
            aria-pressed={table}
            onPress={() => setTable(!table)}
          />
          <ActionMenu
            trigger={
              <Button
                size="small"
                variant="quiet"
                icon={<Download aria-hidden="true" />}
                aria-label="Save the trace"
              />
            }
            title="Save the trace"
            actions={
              online
                ? [...EXPORTS, OPEN]
                : [...EXPORTS, { ...OPEN, note: 'this browser is offline', disabled: true }]
            }
            onAction={(id) =>
              void (id === 'open' ? openThere() : save(id === 'jsonl' ? 'jsonl' : 'perfetto'))
            }
          />
        </div>
      </div>
      <div className={styles['body']} data-tables={shown || undefined}>
        <div className={styles['picture']}>
          <div
            ref={host}
            className={styles['canvas']}
            style={{ minHeight: RULER + lanes * LANE }}
            role="application"
            tabIndex={0}
            aria-label="Timeline. W and S zoom, A and D move, arrow keys step through events and lanes, Shift with arrows selects, Enter selects a dispatch, R opens the request at the cursor in the waterfall, Escape clears, End follows, slash searches."
            {...gestures}
          />
        </div>
        {shown ? (
          <StatisticsTables
            statistics={tables?.statistics}
            records={tables?.records ?? []}
            selected={selected !== undefined}
            onClear={() => {
              send({ do: 'clear' });
              setTable(false);
            }}
            onRequest={(req) => void requests.inWaterfallById(req)}
            onGo={(from, to) => send({ do: 'range', from: from - (to - from), to: to + (to - from) })}
          />
        ) : null}
      </div>
    </section>
  );
}

const OUTCOMES: { readonly [O in BridgeOutcome]: string } = {
  'handed-over': 'The trace is in the new tab, which opens Perfetto',
  blocked: 'The browser blocked the new tab; saving the file instead',
  'no-bridge': 'The new tab did not answer; saving the file instead',
  'no-trace': 'No machine has run yet, so there is no trace',
};

/** What the line beside the search says: what is at the cursor, else how much is in view. */
const inWords = ({ span, records, follow, cursor }: TimelineStatus): string =>
  cursor ?? `${duration(span)} in view, ${count(records)} events${follow ? '' : ', standing'}`;

const samePage = (a: TimelineStatus, b: TimelineStatus): boolean =>
  a.follow === b.follow &&
  a.request === b.request &&
  a.selection?.from === b.selection?.from &&
  a.selection?.to === b.selection?.to;
