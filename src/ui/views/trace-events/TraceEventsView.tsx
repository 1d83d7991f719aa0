import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { Switch } from 'react-aria-components';
import { useStore } from 'zustand';
import {
  isBreakable,
  TRACE_EVENTS,
  type TraceEventDef,
  type TraceGroup,
} from '../../../engine/trace/schema.ts';
import { same } from '../../model/breakpoints.ts';
import { count } from '../../model/format.ts';
import { ONE_OF } from '../../model/trace/following.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { BreakButton } from '../../widgets/BreakButton.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import styles from './TraceEventsView.module.css';

const GROUPS: readonly { readonly group: TraceGroup; readonly label: string }[] = [
  { group: 'context', label: 'Contexts' },
  { group: 'source', label: 'Sources' },
  { group: 'aio', label: 'AioContext' },
  { group: 'virtqueue', label: 'Virtqueues' },
  { group: 'block', label: 'Block' },
  { group: 'interrupt', label: 'Interrupts' },
  { group: 'drain', label: 'Drain' },
  { group: 'cpu', label: 'Harts' },
  { group: 'net', label: 'Network' },
  { group: 'machine', label: 'Machine' },
];
/** The monitor and the command line switch events too. */
const REFRESH_MS = 2000;

/** Which events are on, how often each came, and switches for one or a group: QMP `trace-event-set-state`. */
export default function TraceEventsView(): ReactNode {
  const { controller, trace, breakpoints } = usePlayground();
  const followsEvery = useStore(trace.store, (state) => state.followsEvery);
  const broken = useStore(breakpoints.store, (state) => state.all);
  const on = useController((state) => state.phase.kind === 'on');
  const [enabled, setEnabled] = useState<ReadonlySet<string> | undefined>(undefined);
  const [refusal, setRefusal] = useState<string | undefined>(undefined);

  const look = useEffectEvent(async () => {
    const reply = await controller.vm?.qmp('trace-event-get-state', { name: '*' });
    if (reply === undefined) return;
    if (reply.ok) setEnabled(enabledIn(reply.value));
    setRefusal(reply.ok ? undefined : reply.error.desc);
  });
  useEffect(() => {
    if (!on) return;
    const first = setTimeout(() => void look(), 0);
    const timer = setInterval(() => void look(), REFRESH_MS);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [on]);

  const set = async (events: readonly TraceEventDef[], enable: boolean): Promise<void> => {
    for (const { name } of events) {
      const error = await controller.command('trace-event-set-state', { name, enable });
      if (error !== undefined) {
        setRefusal(error.desc);
        return;
      }
    }
    const names = events.map(({ name }) => name);
    setEnabled(
      (old) =>
        new Set(enable ? [...(old ?? []), ...names] : [...(old ?? [])].filter((n) => !names.includes(n))),
    );
  };

  if (!on) return <Pane>The machine’s trace events can be switched here when it is on.</Pane>;
  return (
    <Pane
      about={
        refusal ??
        'each event that is on costs a little; counts are since the start; a breakpoint holds the context an event happens in'
      }
    >
      <div className={styles['follow']}>
        <Switch
          className={styles['switch'] ?? ''}
          isSelected={followsEvery}
          onChange={(next) => trace.followEvery(next)}
        >
          <span className={styles['knob']} aria-hidden="true" />
          Follow every request
        </Switch>
        <p className={styles['why']}>
          Else, while the machine wants the cores itself and has more events than anyone can look at, 1 batch
          of requests in {ONE_OF} is recorded. Of the others all events are counted.
        </p>
      </div>
      {GROUPS.map(({ group, label }) => {
        const events = TRACE_EVENTS.filter((event) => event.group === group);
        const all = events.every(({ name }) => enabled?.has(name));
        return (
          <section key={group} className={styles['group']} aria-label={`Events: ${label}`}>
            <header className={styles['head']}>
              <h2 className={styles['title']}>{label}</h2>
              <Switch
                className={styles['switch'] ?? ''}
                isSelected={all}
                isDisabled={enabled === undefined}
                onChange={(next) => void set(events, next)}
              >
                <span className={styles['knob']} aria-hidden="true" />
                all<span className="visually-hidden"> events of {label}</span>
              </Switch>
            </header>
            <ul className={styles['events']}>
              {events.map((event) => (
                <li key={event.id} className={styles['event']}>
                  <Switch
                    className={styles['switch'] ?? ''}
                    isSelected={enabled?.has(event.name) ?? false}
                    isDisabled={enabled === undefined}
                    onChange={(next) => void set([event], next)}
                  >
                    <span className={styles['knob']} aria-hidden="true" />
                    <span className={styles['name']}>{event.name}</span>
                  </Switch>
                  <span className={styles['end']}>
                    <LiveText
                      feed={trace.summaries}
                      className={styles['count']}
                      read={({ perEvent }) => count(perEvent[event.id] ?? 0)}
                    />
                    {isBreakable(event) ? (
                      <BreakButton
                        label={`Break at ${event.name}`}
                        isSet={broken.some((one) => same(one, { event: event.name }))}
                        onPress={() => void breakpoints.toggle({ event: event.name })}
                      />
                    ) : (
                      <span className={styles['none']} />
                    )}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </Pane>
  );
}

/** Names that are on, from the reply of `trace-event-get-state`. */
function enabledIn(value: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  if (!Array.isArray(value)) return names;
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null || !('name' in entry) || !('state' in entry)) continue;
    if (entry.state === 'enabled') names.add(String(entry.name));
  }
  return names;
}
