import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { GUIDE_STEPS, type GuideState, type GuideStep } from '../../model/guide.ts';
import { usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './GuideStrip.module.css';

interface StepText {
  readonly text: string;
  readonly button: string | undefined;
  readonly waiting: string;
}

function textOf({ step, from, to }: GuideState): StepText {
  switch (step) {
    case 'prompt':
      return {
        text: 'A Linux guest is booting below, its disk served by an event loop of its own.',
        button: undefined,
        waiting: '',
      };
    case 'read':
      return {
        text: `The disk is served by context ${from}. Watch one request cross the board:`,
        button: 'Read one block',
        waiting: 'dd is reading…',
      };
    case 'load':
      return {
        text: from === 'main' ? 'The disk is on the main loop: will typing lag under load?' : 'Now many:',
        button: 'Put it under load',
        waiting: 'waiting for the load…',
      };
    case 'move':
      return {
        text:
          from === 'main'
            ? 'Give the disk a thread of its own:'
            : 'What if it shared the main loop? Drag the card, or:',
        button: `Move the disk to ${to}`,
        waiting: 'measuring before and after…',
      };
    case 'explore':
      return {
        text: 'Move it back, edit the command line, share the link: everything here is the machine itself.',
        button: undefined,
        waiting: '',
      };
  }
}

/** The first minute as one line: what to try next, and what the last thing showed. */
export function GuideStrip(): ReactNode {
  const { guide } = usePlayground();
  const state = useStore(guide.store);
  if (!state.shown) return null;
  const { text, button, waiting } = textOf(state);
  return (
    <section className={styles['strip']} aria-label="First steps">
      <Dots step={state.step} />
      <p className={styles['text']} aria-live="polite">
        {state.finding === '' ? null : <b>{state.finding} </b>}
        {text}
      </p>
      {button === undefined ? null : (
        <Button size="small" variant="primary" isDisabled={state.waiting} onPress={() => guide.act()}>
          {state.waiting ? waiting : button}
        </Button>
      )}
      <Button
        size="small"
        variant="quiet"
        icon={<X />}
        tip={state.step === 'explore' ? 'Close' : 'Skip, just explore'}
        onPress={() => guide.hide()}
      />
    </section>
  );
}

function Dots({ step }: { readonly step: GuideStep }): ReactNode {
  const at = GUIDE_STEPS.indexOf(step);
  return (
    <span className={styles['dots']} role="img" aria-label={`Step ${at + 1} of ${GUIDE_STEPS.length}`}>
      {GUIDE_STEPS.map((id, i) => (
        <span key={id} data-state={i < at ? 'done' : i === at ? 'now' : 'next'} />
      ))}
    </span>
  );
}
