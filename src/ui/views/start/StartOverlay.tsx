import type { ReactNode } from 'react';
import { splitArgv } from '../../model/argv.ts';
import { bytes } from '../../model/format.ts';
import type { PreparationStep } from '../../model/preparation.ts';
import type { Problem, WayOut } from '../../model/problem.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import { ErrorPanel } from '../../widgets/ErrorPanel.tsx';
import { ProgressRow } from '../../widgets/ProgressRow.tsx';
import styles from './StartOverlay.module.css';

const LABELS: Record<WayOut, string> = {
  reload: 'Reload the page',
  isolate: 'Add them here',
  'edit-command-line': 'Edit the command line',
  'default-command-line': 'Use the default machine',
  'previous-command-line': 'Use the last one that worked',
  'open-images': 'Open images',
  retry: 'Try again',
  'power-on': 'Power on again',
  dismiss: 'Dismiss',
};

/** What covers the terminal while there is no prompt to show: progress, a problem, or that the power is off. */
export function StartOverlay({ onWay }: { readonly onWay: (way: WayOut) => void }): ReactNode {
  const { controller } = usePlayground();
  const phase = useController((state) => state.phase);
  const problem = useController((state) => state.problem);
  if (problem !== undefined) return <ProblemView problem={problem} onWay={onWay} />;
  switch (phase.kind) {
    case 'on':
      return null;
    case 'off':
      return (
        <div className={styles['card']}>
          <p className={styles['lead']}>The power is off.</p>
          <Button variant="primary" onPress={() => void controller.powerOn()}>
            Power on
          </Button>
        </div>
      );
    case 'preparing':
      return <Progress steps={phase.steps} />;
    case 'building':
      return <Waiting text="Building the machine: threads, memory, devices" />;
    case 'stopping':
      return <Waiting text="Powering off: draining requests, closing disks" />;
  }
}

function Waiting({ text }: { readonly text: string }): ReactNode {
  return (
    <div className={styles['card']}>
      <ProgressRow label={text} amount="" share={undefined} />
    </div>
  );
}

function Progress({ steps }: { readonly steps: readonly PreparationStep[] }): ReactNode {
  if (steps.length === 0) return <Waiting text="Looking for what the machine needs" />;
  return (
    <div className={styles['card']}>
      {steps.map((step) => (
        <ProgressRow
          key={step.id}
          label={step.label}
          amount={amountOf(step)}
          share={
            step.state === 'done'
              ? 1
              : step.totalBytes > 0
                ? step.doneBytes / step.totalBytes
                : step.state === 'waiting'
                  ? 0
                  : undefined
          }
        />
      ))}
    </div>
  );
}

function amountOf(step: PreparationStep): string {
  if (step.state === 'waiting') return 'waiting';
  if (step.state === 'done') return step.totalBytes > 0 ? bytes(step.totalBytes) : 'done';
  if (step.totalBytes === 0) return bytes(step.doneBytes);
  return `${bytes(step.doneBytes)} of ${bytes(step.totalBytes)}`;
}

function ProblemView({
  problem,
  onWay,
}: {
  readonly problem: Problem;
  readonly onWay: (way: WayOut) => void;
}): ReactNode {
  const commandLine = useController((state) => state.applied ?? state.commandLine);
  const lastGood = useController((state) => state.lastGood);
  const ways = problem.ways.filter(
    (way) => way !== 'previous-command-line' || (lastGood !== undefined && lastGood !== commandLine),
  );
  return (
    <ErrorPanel
      key={problem.title + problem.detail}
      title={problem.title}
      detail={problem.detail}
      hint={problem.hint}
      quote={
        problem.argIndex === undefined ? undefined : quoteOf(commandLine, problem.argIndex, problem.span)
      }
      ways={ways.map((way) => ({ label: LABELS[way], onPress: () => onWay(way) }))}
    />
  );
}

/** The argument at fault with its option before it, the faulty part marked. */
function quoteOf(
  commandLine: string,
  argIndex: number,
  span: readonly [number, number] | undefined,
): ReactNode {
  const split = splitArgv(commandLine);
  const value = split.ok ? split.tokens[argIndex]?.value : undefined;
  if (!split.ok || value === undefined) return undefined;
  const option = split.tokens[argIndex - 1]?.value;
  const [start, end] = span ?? [0, value.length];
  return (
    <>
      {option?.startsWith('-') === true && !value.startsWith('-') ? `${option} ` : ''}
      {value.slice(0, start)}
      <mark>{value.slice(start, end)}</mark>
      {value.slice(end)}
    </>
  );
}
