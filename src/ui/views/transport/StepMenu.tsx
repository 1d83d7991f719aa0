import { StepForward } from 'lucide-react';
import type { ReactNode } from 'react';
import { layout } from '../../model/layout.ts';
import { useBoardShape, useController, usePlayground } from '../../model/playground.ts';
import { type StepCommands, stepCommands } from '../../model/step-commands.ts';
import { type ActionGroup, ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import styles from './TransportBar.module.css';

/** Holds one context while the machine runs, and lets it make single steps. */
export function StepMenu(): ReactNode {
  const { holds } = usePlayground();
  const on = useController((state) => state.phase.kind === 'on');
  const board = useBoardShape();
  const contexts = on ? stepCommands(holds, board) : [];
  const all = contexts.flatMap(({ commands }) => commands);
  return (
    <ActionMenu
      trigger={
        <Button icon={<StepForward />} isDisabled={contexts.length === 0} aria-label="Step">
          <span className={styles['wideOnly']}>Step</span>
        </Button>
      }
      groups={contexts.flatMap(groupsOf)}
      onAction={(id) => {
        // A small screen shows one panel: the lane says what the step did.
        layout.setState({ narrow: 'loops' });
        void all.find((command) => command.id === id)?.run();
      }}
    />
  );
}

/** The commands of a context; those that run until an event under a heading of their own. */
function groupsOf({ context, held, commands }: StepCommands): readonly ActionGroup[] {
  const those = (title: string, isUntil: boolean): ActionGroup => ({
    title,
    actions: commands
      .filter((command) => (command.isUntil === true) === isUntil)
      .map(({ id, short, note }) => ({ id, label: short, note })),
  });
  return held
    ? [those(`${context} is held`, false), those(`Let ${context} run until`, true)]
    : [those(`${context} runs`, false)];
}
