import { Milestone, Pin } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { same } from '../../model/breakpoints.ts';
import { canBeHeld } from '../../model/holds.ts';
import { useBoardShape, usePlayground } from '../../model/playground.ts';
import type { ListedRequest } from '../../model/trace/protocol.ts';
import type { DiskQueue } from '../../model/trace/use-disk-queues.ts';
import { BreakButton } from '../../widgets/BreakButton.tsx';
import { Button } from '../../widgets/Button.tsx';
import { RequestButton } from '../../widgets/RequestButton.tsx';
import styles from './WaterfallView.module.css';

/** What can be done with a request: pin it, see it among all else, follow it or stop the next one. */
export function RequestActions({
  request,
  chosen,
  pinned,
  onPin,
}: {
  readonly request: ListedRequest;
  readonly chosen: DiskQueue;
  readonly pinned: boolean;
  readonly onPin: () => void;
}): ReactNode {
  const { requests, holds, breakpoints } = usePlayground();
  const board = useBoardShape();
  const broken = useStore(breakpoints.store, (state) => state.all);
  const next = { event: 'virtqueue_pop', device: chosen.device, queue: chosen.queue };
  const server = board?.contexts.find(({ index }) => index === request.popThread);
  return (
    <div className={styles['actions']} role="group" aria-label={`Request ${request.req}`}>
      <Button
        size="small"
        variant={pinned ? 'plain' : 'quiet'}
        icon={<Pin aria-hidden="true" />}
        aria-pressed={pinned}
        tip={pinned ? 'Let it go' : 'Keep it here, and pick another to compare'}
        onPress={onPin}
      >
        {pinned ? 'Pinned' : 'Pin'}
      </Button>
      <RequestButton view="timeline" onPress={() => requests.inTimeline(request)} />
      <RequestButton view="flow" onPress={() => requests.inFlow(request)} />
      {!request.isOver && server !== undefined && canBeHeld(server) ? (
        <Button
          size="small"
          variant="quiet"
          icon={<Milestone aria-hidden="true" />}
          tip={`Let ${server.id} go on until something more happens to this request, and hold it there`}
          onPress={() => void holds.follow(server.id, request.req)}
        >
          Next stage
        </Button>
      ) : (
        <BreakButton
          label={`Break at the next request of ${chosen.label}`}
          isSet={broken.some((one) => same(one, next))}
          onPress={() => void breakpoints.toggle(next)}
        >
          Break at next
        </BreakButton>
      )}
    </div>
  );
}
