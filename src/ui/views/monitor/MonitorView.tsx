import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { commonPrefix, type MonitorMode } from '../../model/monitor.ts';
import { usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import styles from './MonitorView.module.css';

const MODES: readonly { readonly id: MonitorMode; readonly label: string }[] = [
  { id: 'hmp', label: 'HMP' },
  { id: 'qmp', label: 'QMP' },
];

/** The monitor console: HMP as people type it, QMP as programs do, events as they come. */
export default function MonitorView(): ReactNode {
  const { monitor } = usePlayground();
  const { mode, entries } = useStore(monitor.store);
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const toEnd = (): void => {
      if (log.current !== null) log.current.scrollTop = log.current.scrollHeight;
    };
    toEnd();
    // After the entry has been drawn.
    return monitor.store.subscribe(() => requestAnimationFrame(toEnd));
  }, [monitor]);
  return (
    <Pane
      about={
        mode === 'hmp' ? 'try “info qtree” or “info iothreads”' : 'try query-status, or qom-get {"path": …}'
      }
      actions={
        <>
          <Select
            label="Monitor language"
            value={mode}
            choices={MODES}
            onChange={(id) => monitor.setMode(id === 'qmp' ? 'qmp' : 'hmp')}
          />
          <Button size="small" variant="quiet" onPress={() => monitor.clear()}>
            Clear
          </Button>
        </>
      }
      flush
    >
      <div className={styles['console']}>
        <div ref={log} className={styles['log']} role="log" aria-label="Monitor output" tabIndex={0}>
          {entries.map((entry) => (
            <pre key={entry.id} className={styles[entry.kind]}>
              {entry.text}
            </pre>
          ))}
        </div>
        <Prompt key={mode} mode={mode} />
      </div>
    </Pane>
  );
}

function Prompt({ mode }: { readonly mode: MonitorMode }): ReactNode {
  const { monitor } = usePlayground();
  const [line, setLine] = useState('');
  const [candidates, setCandidates] = useState<readonly string[]>([]);
  const at = useRef<number | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);

  const change = (text: string): void => {
    setLine(text);
    setCandidates([]);
  };
  const complete = async (): Promise<void> => {
    const found = await monitor.complete(line);
    if (input.current?.value !== line) return;
    const prefix = commonPrefix(found);
    if (prefix.length > line.length) setLine(found.length === 1 ? `${prefix} ` : prefix);
    setCandidates(found.length > 1 ? found : []);
  };
  const recall = (step: number): void => {
    const { history } = monitor;
    const next = Math.min(history.length, Math.max(0, (at.current ?? history.length) + step));
    at.current = next;
    change(history[next] ?? '');
  };
  const keyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      void monitor.run(line);
      at.current = undefined;
      change('');
    } else if (event.key === 'Tab' && !event.shiftKey && line.trim() !== '') {
      // Only a begun line can be completed; from an empty one Tab moves on.
      event.preventDefault();
      void complete();
    } else if (event.key === 'ArrowUp') {
      event.preventDefault();
      recall(-1);
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      recall(1);
    } else if (event.key === 'Escape') setCandidates([]);
  };
  return (
    <>
      {candidates.length === 0 ? null : (
        <ul className={styles['candidates']} aria-label="Completions">
          {candidates.slice(0, 40).map((candidate) => (
            <li key={candidate}>
              <Button
                size="small"
                variant="quiet"
                onPress={() => {
                  change(`${candidate} `);
                  input.current?.focus();
                }}
              >
                {candidate}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <label className={styles['prompt']}>
        <span>{mode === 'hmp' ? '(qemu)' : 'QMP>'}</span>
        <input
          ref={input}
          className={styles['input']}
          aria-label={mode === 'hmp' ? 'HMP command' : 'QMP command'}
          value={line}
          onChange={(event) => change(event.target.value)}
          onKeyDown={keyDown}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
        />
      </label>
    </>
  );
}
