import { AlignLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import type { QueueSnapshot } from '../../../engine/vm.ts';
import { bytes, count } from '../../model/format.ts';
import {
  chainOf,
  type Descriptor,
  distance,
  type PackedRing,
  type SplitRing,
} from '../../model/virtqueue.ts';
import { Button } from '../../widgets/Button.tsx';
import { type Column, DataTable } from '../../widgets/DataTable.tsx';
import styles from './RingView.module.css';

/** Slots listed when none is chosen. */
const LISTED = 8;

/** The ring in words and numbers: who suppresses what, and the slots that matter. */
export function RingTable({
  ring,
  queue,
  cursor,
  onHead,
}: {
  readonly ring: SplitRing | PackedRing;
  readonly queue: QueueSnapshot;
  readonly cursor: number | undefined;
  /** Opens the request that has this head; undefined where the trace follows none. */
  readonly onHead: ((head: number) => void) | undefined;
}): ReactNode {
  const head = cursor === undefined ? undefined : headAt(ring, cursor);
  return (
    <div className={styles['side']} role="region" aria-label="Ring in numbers" tabIndex={0}>
      <ul className={styles['facts']}>
        <li>
          {count(queue.kicks)} kicks, {count(queue.interrupts)} interrupts,{' '}
          {count(queue.interruptsSuppressed)} suppressed
        </li>
        {ring.kind === 'split' ? <SplitFacts ring={ring} /> : <PackedFacts ring={ring} />}
      </ul>
      {ring.kind === 'split' ? (
        <SplitSlots ring={ring} cursor={cursor} />
      ) : (
        <PackedSlots ring={ring} cursor={cursor} />
      )}
      {onHead === undefined || head === undefined ? null : (
        <Button size="small" icon={<AlignLeft aria-hidden="true" />} onPress={() => onHead(head)}>
          Its request in the waterfall
        </Button>
      )}
      <p className={styles['legend']}>
        Filled slots:{' '}
        {ring.kind === 'split'
          ? 'taken by the device; grey: made available, not yet taken'
          : 'available, not yet used'}
        . Pulses: outside a kick, inside dashed an interrupt, dotted a suppressed one. Click a slot, or go to
        it by the arrow keys, to read it alone.
      </p>
    </div>
  );
}

/** Head (or buffer id) of what stands in a slot. */
const headAt = (ring: SplitRing | PackedRing, slot: number): number | undefined =>
  ring.kind === 'split' ? ring.avail[slot] : ring.slots[slot]?.id;

function SplitFacts({ ring }: { readonly ring: SplitRing }): ReactNode {
  const toInterrupt = distance(ring.usedIdx, ring.usedEvent) + 1;
  const toKick = distance(ring.availIdx, ring.availEvent) + 1;
  const said = (left: number): string =>
    left > 0x8000 ? 'already passed: suppressed until it is moved' : `${left} more to go`;
  return (
    <>
      <li>
        Interrupt when used.idx passes used_event {ring.usedEvent}: {said(toInterrupt)}
        {(ring.availFlags & 1) !== 0 ? '; the driver’s flag asks for none' : ''}
      </li>
      <li>
        Kick when avail.idx passes avail_event {ring.availEvent}: {said(toKick)}
        {(ring.usedFlags & 1) !== 0 ? '; the device’s flag asks for none' : ''}
      </li>
    </>
  );
}

const EVENT_FLAGS = ['always', 'never', 'at an index', 'reserved'];

function PackedFacts({ ring }: { readonly ring: PackedRing }): ReactNode {
  return (
    <>
      <li>
        Driver wants interrupts: {EVENT_FLAGS[ring.driverEvent.flags]}
        {ring.driverEvent.flags === 2
          ? ` ${ring.driverEvent.offset}, wrap ${Number(ring.driverEvent.wrap)}`
          : ''}
      </li>
      <li>
        Device wants kicks: {EVENT_FLAGS[ring.deviceEvent.flags]}
        {ring.deviceEvent.flags === 2
          ? ` ${ring.deviceEvent.offset}, wrap ${Number(ring.deviceEvent.wrap)}`
          : ''}
      </li>
    </>
  );
}

interface SlotRow {
  readonly slot: number;
  readonly head: number;
  readonly chain: string;
}

function SplitSlots({
  ring,
  cursor,
}: {
  readonly ring: SplitRing;
  readonly cursor: number | undefined;
}): ReactNode {
  const newest = (ring.availIdx - 1) & 0xffff;
  const slots =
    cursor === undefined
      ? Array.from({ length: Math.min(LISTED, ring.size) }, (_, i) => (newest - i) & 0xffff)
      : [cursor];
  const rows = slots.map((index): SlotRow => {
    const slot = index % ring.size;
    const head = ring.avail[slot] ?? 0;
    const { chain, broken } = chainOf(ring, head);
    return {
      slot,
      head,
      chain: chain.map(descriptorInWords).join(' → ') + (broken ? ' → broken chain' : ''),
    };
  });
  const columns: readonly Column<SlotRow>[] = [
    { id: 'slot', label: 'avail slot', numeric: true, cell: (row) => row.slot },
    { id: 'head', label: 'head', numeric: true, cell: (row) => row.head },
    { id: 'chain', label: 'descriptors', mono: true, cell: (row) => row.chain },
  ];
  return (
    <>
      <DataTable
        caption={cursor === undefined ? 'Newest in the avail ring' : `Slot ${cursor}`}
        columns={columns}
        rows={rows}
        // By place: the rows stay and their text changes.
        rowKey={(_, place) => place}
      />
      {cursor === undefined ? null : (
        <p className={styles['note']}>
          used[{cursor}]: head {ring.used[cursor]?.id}, {count(ring.used[cursor]?.len ?? 0)} bytes written by
          the device
        </p>
      )}
    </>
  );
}

function PackedSlots({
  ring,
  cursor,
}: {
  readonly ring: PackedRing;
  readonly cursor: number | undefined;
}): ReactNode {
  const rows =
    cursor === undefined
      ? ring.slots.filter((slot) => !slot.same).slice(0, LISTED)
      : ring.slots.slice(cursor, cursor + 1);
  const columns: readonly Column<PackedRing['slots'][number]>[] = [
    { id: 'slot', label: 'slot', numeric: true, cell: (row) => row.index },
    { id: 'id', label: 'buffer id', numeric: true, cell: (row) => row.id },
    { id: 'bits', label: 'AVAIL USED', cell: (row) => `${Number(row.availBit)} ${Number(row.usedBit)}` },
    { id: 'what', label: 'descriptor', mono: true, cell: descriptorInWords },
  ];
  return (
    <DataTable
      caption={cursor === undefined ? 'Available, not yet used' : `Slot ${cursor}`}
      columns={columns}
      rows={rows}
      rowKey={(_, place) => place}
      empty="none"
    />
  );
}

const descriptorInWords = (d: Descriptor): string =>
  `${d.indirect ? 'indirect' : d.write ? 'in' : 'out'} ${bytes(d.len)} @${d.addr.toString(16)}`;
