import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { useController, usePlayground } from '../../model/playground.ts';
import { FIRST_STEPS } from '../../model/scenarios/catalog.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './GuideStrip.module.css';
import { ScenarioMenu } from './ScenarioMenu.tsx';

/** A scenario as one line: what to try next, and what the last thing showed. */
export function GuideStrip(): ReactNode {
  const { guide } = usePlayground();
  const on = useController((state) => state.phase.kind === 'on');
  const off = useController((state) => state.phase.kind === 'off');
  const { shown, scenario, at, waiting, finding, notice, from, to } = useStore(guide.store);
  const step = scenario.steps[at];
  if (!shown || step === undefined) return null;
  const first = scenario === FIRST_STEPS;
  const last = at === scenario.steps.length - 1;
  const button = step.button?.({ from, to });
  return (
    <section className={styles['strip']} aria-label={first ? 'First steps' : `Scenario: ${scenario.title}`}>
      <Dots at={at} of={scenario.steps.length} />
      <h2 className={styles['title']}>{scenario.title}</h2>
      <p className={styles['text']} aria-live="polite">
        {finding === '' && notice === '' ? null : <b>{`${notice} ${finding} `.trimStart()}</b>}
        {off ? 'The power is off. This goes on when the machine does.' : step.text({ from, to })}
      </p>
      {button === undefined ? null : (
        <Button size="small" variant="primary" isDisabled={waiting || !on} onPress={() => guide.act()}>
          {waiting ? (step.waiting ?? 'waiting…') : button}
        </Button>
      )}
      {last ? <ScenarioMenu words /> : null}
      <span className={styles['close']}>
        <Button
          size="small"
          variant="quiet"
          icon={<X />}
          tip={last ? 'Close' : 'Skip, just explore'}
          onPress={() => guide.hide()}
        />
      </span>
    </section>
  );
}

function Dots({ at, of }: { readonly at: number; readonly of: number }): ReactNode {
  return (
    <span className={styles['dots']} role="img" aria-label={`Step ${at + 1} of ${of}`}>
      {Array.from({ length: of }, (_, i) => (
        <span key={i} data-state={i < at ? 'done' : i === at ? 'now' : 'next'} />
      ))}
    </span>
  );
}
