import { type ReactNode, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { ContextSnapshot } from '../../../engine/vm.ts';
import { duration } from '../../model/format.ts';
import type { LastStep } from '../../model/holds.ts';
import { usePlayground } from '../../model/playground.ts';
import type { InsideStage, StepInside } from '../../model/trace/step-inside.ts';
import type { TraceClient } from '../../model/trace/trace-client.ts';
import styles from './StepStages.module.css';

/** The aggregator reads the rings several times a second: a step's records, and the guest's answer, are there by then. */
const LOOK_MS = 120;
const LOOKS = 10;

/** What happened inside the dispatches of the last step, stage by stage, as the trace has it. */
export function StepStages({ context }: { readonly context: ContextSnapshot }): ReactNode {
  const { holds, trace } = usePlayground();
  const step = useStore(holds.store, (state) => state.steps.get(context.id));
  const frozen = useStore(trace.store, (state) => state.frozen);
  const inside = useInside(trace, context.index, step);
  const words =
    step === undefined
      ? 'The stages inside a step appear here.'
      : inside === 'asked'
        ? 'reading the trace …'
        : inside === undefined
          ? `The trace has nothing of this step${frozen ? ': the view is frozen' : ''}.`
          : inside.stages.length === 0
            ? 'No stage of a request was in this step.'
            : undefined;
  return (
    <div className={styles['stages']}>
      {words === undefined ? null : <p>{words}</p>}
      {typeof inside !== 'object' || inside.stages.length === 0 ? null : (
        <ol aria-label={`Stages inside the last step of ${context.id}`}>
          {inside.stages.map((stage) => (
            <li key={stage.label} title={stage.event} data-afterwards={stage.afterwards || undefined}>
              {stage.label}
              {stage.n > 1 ? ` ×${stage.n}` : ''} <span>{moment(stage)}</span>
            </li>
          ))}
        </ol>
      )}
      {typeof inside === 'object' && inside.lost > 0 ? (
        <p>{inside.lost} records were lost meanwhile: stages may be missing.</p>
      ) : null}
    </div>
  );
}

/** "+15 µs", or from the first to the last of several. */
function moment({ n, first, last }: InsideStage): string {
  const [from, to] = [duration(first), duration(last)];
  return n === 1 || from === to ? `+${from}` : `+${from} … ${to}`;
}

/** Asks until the trace has the step; `asked` meanwhile. Once more later, for what the guest did then. */
function useInside(
  trace: TraceClient,
  thread: number,
  step: LastStep | undefined,
): StepInside | 'asked' | undefined {
  const [found, setFound] = useState<{ readonly of: LastStep; readonly inside: StepInside | undefined }>();
  useEffect(() => {
    if (step === undefined) return;
    let left = LOOKS;
    let seen = 0;
    const timer = setInterval(() => {
      if (left-- <= 0 || seen > 1) clearInterval(timer);
      void trace.ask({ ask: 'step-inside', thread, since: step.sinceNs }).then((inside) => {
        if (inside !== undefined) seen++;
        if (inside !== undefined || left <= 0) setFound({ of: step, inside });
      });
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [trace, thread, step]);
  return found?.of === step ? found?.inside : 'asked';
}
