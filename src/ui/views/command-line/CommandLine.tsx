import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import {
  type ApplyPlan,
  changeInWords,
  completeAt,
  mistakeOf,
  planApply,
  readCommandLine,
} from '../../model/command-line.ts';
import { setTranslates, translates } from '../../model/command-line-edits.ts';
import type { GuestChoice } from '../../model/images/guest-choices.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import styles from './CommandLine.module.css';

const CodeEditor = lazy(() => import('../../widgets/CodeEditor.tsx'));

const marksOf = async (text: string) => (await readCommandLine(text)).marks;

/**
 * The machine as QEMU-style arguments. Editing changes nothing until it is applied: live where the change allows
 * it, else by a restart, and which of the two is said beforehand.
 */
export default function CommandLine({
  defaultText,
  guests,
}: {
  readonly defaultText: string;
  readonly guests: readonly GuestChoice[];
}): ReactNode {
  const { controller } = usePlayground();
  const text = useController((state) => state.commandLine);
  const applied = useController((state) => state.applied);
  const phase = useController((state) => state.phase.kind);
  const on = phase === 'on';
  const plan = usePlan(on ? applied : undefined, text);
  const busy = phase === 'preparing' || phase === 'building' || phase === 'stopping';
  const live = on && plan?.kind === 'live';
  const mistake = plan?.kind === 'wrong' ? mistakeOf(plan.mark.message) : undefined;
  return (
    <Pane
      about={<span className={mistake && styles['wrong']}>{mistake?.said ?? planInWords(plan, on)}</span>}
      actions={
        <>
          {applied !== undefined && text !== applied ? (
            <Button size="small" variant="quiet" onPress={() => controller.setCommandLine(applied)}>
              Revert
            </Button>
          ) : text === defaultText ? null : (
            <Button size="small" variant="quiet" onPress={() => controller.setCommandLine(defaultText)}>
              Default
            </Button>
          )}
          <ActionMenu
            title="Boot"
            trigger={
              <Button size="small" variant="quiet">
                Guest
              </Button>
            }
            actions={guests}
            onAction={(id) => {
              const choice = guests.find((guest) => guest.id === id);
              if (choice !== undefined) controller.setCommandLine(choice.edit(text));
            }}
          />
          <JitSwitch text={text} onChange={(value) => controller.setCommandLine(value)} />
          <CopyButton text={text} />
          <Button
            size="small"
            variant={plan?.kind === 'same' ? 'plain' : 'primary'}
            isDisabled={busy || plan === undefined || plan.kind === 'wrong'}
            onPress={() => void (live ? controller.applyCommands(plan.commands, text) : controller.powerOn())}
          >
            {live ? 'Apply now' : on ? 'Apply and restart' : 'Power on'}
          </Button>
        </>
      }
      flush
    >
      <div className={styles['rows']}>
        <div className={styles['text']}>
          <Suspense fallback={<pre className={styles['plain']}>{text}</pre>}>
            <CodeEditor
              label="QEMU-style command line"
              value={text}
              onChange={(value) => controller.setCommandLine(value)}
              diagnose={marksOf}
              complete={completeAt}
            />
          </Suspense>
        </div>
        {mistake?.list === undefined ? null : <p className={styles['list']}>{mistake.list}</p>}
      </div>
    </Pane>
  );
}

/** The plan for the text as it stands, a moment after the last key. */
function usePlan(applied: string | undefined, text: string): ApplyPlan | undefined {
  const [plan, setPlan] = useState<ApplyPlan | undefined>(undefined);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      void planApply(applied, text).then((next) => {
        if (current) setPlan(next);
      });
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [applied, text]);
  return plan;
}

function planInWords(plan: ApplyPlan | undefined, on: boolean): string {
  if (plan === undefined || plan.kind === 'wrong') return '';
  if (!on) return 'the machine to be built';
  switch (plan.kind) {
    case 'same':
      return 'the machine that runs';
    case 'live':
      return `can be done while it runs: ${plan.changes.map(changeInWords).join('; ')}`;
    case 'restart':
      return `needs a restart: ${changeInWords(plan.because)}`;
  }
}

/** The translator of hot guest code, as the command line has it. */
function JitSwitch({
  text,
  onChange,
}: {
  readonly text: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const on = translates(text);
  return (
    <Button
      size="small"
      variant="quiet"
      tip={
        on
          ? 'Hot guest code is translated to WebAssembly. Press to interpret everything after the next power-on.'
          : 'All guest code is interpreted. Press to translate hot code to WebAssembly after the next power-on.'
      }
      onPress={() => onChange(setTranslates(text, !on))}
    >
      {on ? 'JIT on' : 'JIT off'}
    </Button>
  );
}

function CopyButton({ text }: { readonly text: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      size="small"
      variant="quiet"
      onPress={() => {
        void navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        );
        setTimeout(() => setCopied(false), 1500);
      }}
    >
      {copied ? 'Copied' : 'Copy'}
    </Button>
  );
}
