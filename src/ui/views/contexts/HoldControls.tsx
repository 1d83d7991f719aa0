import { ChevronDown, Hand, Milestone, Play, Repeat, StepForward } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import type { ContextSnapshot } from '../../../engine/vm.ts';
import { usePlayground } from '../../model/playground.ts';
import { UNTIL_EVENTS } from '../../model/step-commands.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import styles from './HoldControls.module.css';
import { StepStages } from './StepStages.tsx';

/** Holds the context, or lets it go on. */
export function HoldButton({ context }: { readonly context: ContextSnapshot }): ReactNode {
  const { holds } = usePlayground();
  const { id } = context;
  return context.heldNs === undefined ? (
    <Button
      size="small"
      variant="quiet"
      icon={<Hand />}
      aria-label={`Hold ${id}`}
      aria-keyshortcuts="H"
      tip={`Hold ${id}: it dispatches nothing while the machine runs (H)`}
      onPress={() => void holds.hold(id, true)}
    >
      Hold
    </Button>
  ) : (
    <Button
      size="small"
      variant="primary"
      icon={<Play />}
      aria-label={`Release ${id}`}
      aria-keyshortcuts="H"
      tip={`Let ${id} go on (H)`}
      onPress={() => void holds.hold(id, false)}
    >
      Release
    </Button>
  );
}

/** What a held context can be let do, and what it did last. */
export function StepRow({ context }: { readonly context: ContextSnapshot }): ReactNode {
  const { holds } = usePlayground();
  const { id } = context;
  const said = useStore(holds.store, (state) => state.said.get(id));
  return (
    <div className={styles['row']} role="group" aria-label={`Step ${id}`}>
      <Button
        size="small"
        icon={<StepForward />}
        aria-label={`Step ${id}: one dispatch`}
        aria-keyshortcuts="S"
        tip="One callback: a kick, a bottom half or a timer (S)"
        onPress={() => void holds.step(id, 'dispatch')}
      >
        Dispatch
      </Button>
      <Button
        size="small"
        icon={<Repeat />}
        aria-label={`Step ${id}: one iteration`}
        aria-keyshortcuts="I"
        tip="One iteration: all that is ready now (I)"
        onPress={() => void holds.step(id, 'iteration')}
      >
        Iteration
      </Button>
      <Button
        size="small"
        icon={<Milestone />}
        aria-label={`Step ${id}: next stage of this request`}
        aria-keyshortcuts="N"
        tip="Until something more happens to the request it was stopped for (N)"
        onPress={() => void holds.step(id, 'request')}
      >
        Next stage
      </Button>
      <ActionMenu
        title={`Let ${id} run until`}
        trigger={
          <Button size="small" icon={<ChevronDown />} aria-label={`Step ${id}: until an event`}>
            Until
          </Button>
        }
        actions={UNTIL_EVENTS.map(({ id: event, label }) => ({ id: event, label, note: event }))}
        onAction={(event) => void holds.stepUntil(id, event)}
      />
      <p className={styles['said']}>{said}</p>
      <StepStages context={context} />
    </div>
  );
}
