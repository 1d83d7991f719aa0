import { Hand, Play, Repeat, StepForward } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import type { ContextSnapshot } from '../../../engine/vm.ts';
import { usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './HoldControls.module.css';

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
      <p className={styles['said']}>{said}</p>
    </div>
  );
}
