import type { BoardSnapshot } from '../../engine/vm.ts';
import { canBeHeld, type Holds } from './holds.ts';

/** Events of a request's way a held context can run to; the monitor takes any. */
export const UNTIL_EVENTS = [
  { id: 'virtio_queue_notify', label: 'a kick' },
  { id: 'virtqueue_pop', label: 'a request is taken' },
  { id: 'virtio_blk_submit_multireq', label: 'one is submitted to the disk' },
  { id: 'virtio_blk_rw_complete', label: 'the disk has done one' },
  { id: 'virtqueue_flush', label: 'the used ring is published' },
  { id: 'virtio_notify_irqfd', label: 'an interrupt' },
] as const;

/** Something that can be done to a context's hold now: the same in the bar's menu and in the palette. */
export interface StepCommand {
  readonly id: string;
  /** Whole, as the palette lists it: "Step ctx0: one dispatch". */
  readonly label: string;
  /** Under the heading of its context: "One dispatch". */
  readonly short: string;
  readonly note: string;
  /** One of the ways to run until an event; they stand together. */
  readonly isUntil?: boolean;
  readonly run: () => Promise<void>;
}

export interface StepCommands {
  readonly context: string;
  readonly held: boolean;
  readonly commands: readonly StepCommand[];
}

/** By context, in the order of the board: hold it; once it is held, release or step it. */
export function stepCommands(holds: Holds, board: BoardSnapshot | undefined): readonly StepCommands[] {
  return (board?.contexts ?? []).filter(canBeHeld).map(({ id, heldNs }) => {
    const held = heldNs !== undefined;
    return { context: id, held, commands: held ? steps(holds, id) : [hold(holds, id)] };
  });
}

const hold = (holds: Holds, id: string): StepCommand => ({
  id: `${id} hold`,
  label: `Hold ${id}`,
  short: `Hold ${id}`,
  note: 'It dispatches nothing; the machine runs on',
  run: () => holds.hold(id, true),
});

const steps = (holds: Holds, id: string): readonly StepCommand[] => [
  {
    id: `${id} dispatch`,
    label: `Step ${id}: one dispatch`,
    short: 'One dispatch',
    note: 'A kick, a bottom half or a timer',
    run: () => holds.step(id, 'dispatch'),
  },
  {
    id: `${id} iteration`,
    label: `Step ${id}: one iteration`,
    short: 'One iteration',
    note: 'All that is ready now',
    run: () => holds.step(id, 'iteration'),
  },
  {
    id: `${id} request`,
    label: `Step ${id}: next stage of this request`,
    short: 'Next stage of this request',
    note: 'Of the one it was stopped for',
    run: () => holds.step(id, 'request'),
  },
  ...UNTIL_EVENTS.map((event) => ({
    id: `${id} ${event.id}`,
    label: `Step ${id}: until ${event.label}`,
    short: event.label,
    note: event.id,
    isUntil: true,
    run: () => holds.stepUntil(id, event.id),
  })),
  {
    id: `${id} release`,
    label: `Release ${id}`,
    short: `Release ${id}`,
    note: 'Let it go on',
    run: () => holds.hold(id, false),
  },
];
