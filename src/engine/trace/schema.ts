/**
 * The trace events: QEMU's names where QEMU has the event, GLib's phase names for the loop's phases, and a
 * few of our own in the same style (source dispatch, bottom halves, drain, context change).
 *
 * An event carries the time, the writer's thread and up to five unsigned 32-bit arguments. `id` is an index
 * and never reused; append only. `req` arguments tie the stages of one request together.
 */
export type ArgKind =
  | 'u32' // a plain number
  | 'hex'
  | 'ctx' // context index
  | 'dev' // device index (virtio-mmio slot)
  | 'queue'
  | 'head' // descriptor head
  | 'req' // request id, unique in a machine's life modulo 2^32
  | 'source' // source id, named by a `source_name` record kept beside the ring
  | 'ns'
  | 'bytes'
  | 'sector'
  | 'bool'
  | 'hart'
  | 'gsi'; // PLIC interrupt source number

export type TraceGroup =
  | 'context'
  | 'source'
  | 'aio'
  | 'virtqueue'
  | 'block'
  | 'interrupt'
  | 'drain'
  | 'cpu'
  | 'net'
  | 'machine';

export interface TraceEventDef {
  readonly id: number;
  readonly name: string;
  readonly group: TraceGroup;
  readonly args: readonly (readonly [name: string, kind: ArgKind])[];
  /** On when a machine starts. The rest are switched by `trace-event-set-state`. */
  readonly enabled: boolean;
}

type Spec = readonly [name: string, group: TraceGroup, args: string, enabled?: boolean];

/** name, group, "arg:kind …", enabled at start (default yes). The order is the numbering: append only. */
const SPECS = [
  // contexts and the phases of an iteration
  ['context_prepare', 'context', 'ctx:ctx ready:bool', false],
  ['context_query', 'context', 'ctx:ctx nfds:u32 timeout_us:u32', false],
  ['context_poll_begin', 'context', 'ctx:ctx timeout_us:u32'],
  ['context_poll_end', 'context', 'ctx:ctx woken:bool'],
  ['context_check', 'context', 'ctx:ctx ready:u32', false],
  ['context_dispatch_begin', 'context', 'ctx:ctx', false],
  ['context_dispatch_end', 'context', 'ctx:ctx', false],
  ['context_hold', 'context', 'ctx:ctx held:bool'],
  ['context_yield', 'context', 'ctx:ctx'],
  ['source_attach', 'source', 'ctx:ctx source:source'],
  ['source_detach', 'source', 'ctx:ctx source:source'],
  ['source_dispatch_begin', 'source', 'ctx:ctx source:source wake_ns:ns'],
  ['source_dispatch_end', 'source', 'ctx:ctx source:source again:bool'],
  ['source_error', 'source', 'ctx:ctx source:source'],
  // AioContext
  ['aio_bh_schedule', 'aio', 'ctx:ctx bh:source', false],
  ['aio_bh_dispatch', 'aio', 'ctx:ctx bh:source', false],
  ['aio_notify', 'aio', 'ctx:ctx elided:bool', false],
  ['aio_timer_dispatch', 'aio', 'ctx:ctx timer:source late_ns:ns', false],
  ['run_poll_handlers_begin', 'aio', 'ctx:ctx max_ns:ns timeout_us:u32', false],
  ['run_poll_handlers_end', 'aio', 'ctx:ctx progress:bool timeout_us:u32', false],
  ['poll_add', 'aio', 'ctx:ctx source:source poll_ns:ns revents:hex', false],
  ['poll_remove', 'aio', 'ctx:ctx source:source', false],
  ['poll_grow', 'aio', 'ctx:ctx source:source old_ns:ns new_ns:ns', false],
  ['poll_shrink', 'aio', 'ctx:ctx source:source old_ns:ns new_ns:ns', false],
  // virtio transport and rings
  ['virtio_queue_notify', 'virtqueue', 'dev:dev queue:queue avail_idx:u32'],
  ['virtqueue_pop', 'virtqueue', 'dev:dev queue:queue head:head req:req last_avail_idx:u32'],
  ['virtqueue_fill', 'virtqueue', 'dev:dev queue:queue head:head req:req len:bytes'],
  ['virtqueue_flush', 'virtqueue', 'dev:dev queue:queue count:u32 used_idx:u32'],
  ['virtio_notify', 'interrupt', 'dev:dev queue:queue suppressed:bool used_idx:u32 used_event:u32'],
  ['virtio_notify_irqfd', 'interrupt', 'dev:dev queue:queue gsi:gsi'],
  ['virtio_set_status', 'virtqueue', 'dev:dev status:hex'],
  ['virtio_error', 'virtqueue', 'dev:dev queue:queue code:u32'],
  ['virtio_mmio_read', 'virtqueue', 'dev:dev offset:hex', false],
  ['virtio_mmio_write_offset', 'virtqueue', 'dev:dev offset:hex value:hex', false],
  ['virtio_mmio_setting_irq', 'interrupt', 'dev:dev level:u32', false],
  ['virtio_interrupt_ack', 'interrupt', 'dev:dev value:hex'],
  // virtio-blk and the block layer
  ['virtio_blk_handle_read', 'block', 'dev:dev req:req sector:sector sector_hi:u32 bytes:bytes'],
  ['virtio_blk_handle_write', 'block', 'dev:dev req:req sector:sector sector_hi:u32 bytes:bytes'],
  ['virtio_blk_handle_other', 'block', 'dev:dev req:req type:u32'],
  ['virtio_blk_submit_multireq', 'block', 'dev:dev req:req num_reqs:u32 bytes:bytes write:bool'],
  ['blk_co_preadv', 'block', 'dev:dev req:req sector:sector sector_hi:u32 bytes:bytes'],
  ['blk_co_pwritev', 'block', 'dev:dev req:req sector:sector sector_hi:u32 bytes:bytes'],
  ['blk_co_flush', 'block', 'dev:dev req:req'],
  ['thread_pool_submit_aio', 'block', 'dev:dev req:req', false],
  // Off: of a request that did not fail `virtio_blk_req_complete` says the same at the same moment.
  ['virtio_blk_rw_complete', 'block', 'dev:dev req:req ret:u32', false],
  ['virtio_blk_req_complete', 'block', 'dev:dev req:req status:u32'],
  // interrupts and harts
  ['plic_set_irq', 'interrupt', 'gsi:gsi level:bool', false],
  ['plic_claim', 'interrupt', 'hart:hart gsi:gsi'],
  ['plic_complete', 'interrupt', 'hart:hart gsi:gsi', false],
  ['hart_wfi_begin', 'cpu', 'hart:hart'],
  ['hart_wfi_end', 'cpu', 'hart:hart'],
  ['hart_trap', 'cpu', 'hart:hart cause:hex pc_lo:hex pc_hi:hex', false],
  ['hart_ipi', 'cpu', 'hart:hart target:hart', false],
  ['sbi_call', 'cpu', 'hart:hart extension:hex function:u32', false],
  // moving a device
  ['drain_begin', 'drain', 'dev:dev queue:queue ctx:ctx in_flight:u32'],
  ['drain_detach_notifiers', 'drain', 'dev:dev queue:queue ctx:ctx'],
  ['drain_poll', 'drain', 'dev:dev queue:queue in_flight:u32'],
  ['drain_agree', 'drain', 'dev:dev queue:queue agreed:bool'],
  ['drain_commit', 'drain', 'dev:dev queue:queue from:ctx to:ctx'],
  ['drain_end', 'drain', 'dev:dev queue:queue ctx:ctx downtime_ns:ns'],
  ['drain_abort', 'drain', 'dev:dev queue:queue ctx:ctx'],
  ['drain_self_kick', 'drain', 'dev:dev queue:queue ctx:ctx'],
  // network, serial, machine
  ['virtio_net_rx', 'net', 'dev:dev queue:queue bytes:bytes'],
  ['virtio_net_tx', 'net', 'dev:dev queue:queue bytes:bytes'],
  ['serial_write', 'machine', 'value:hex', false],
  ['serial_read', 'machine', 'value:hex', false],
  ['vm_state_notify', 'machine', 'running:bool reason:u32'],
  ['system_reset', 'machine', ''],
  // holding, stepping and breakpoints
  ['context_step', 'context', 'ctx:ctx dispatches:u32 ns:ns'],
  ['context_break', 'context', 'ctx:ctx breakpoint:u32 req:req'],
  // requests that are not followed, summed up at the end of what is done at once
  ['virtqueue_counted', 'virtqueue', 'dev:dev queue:queue popped:u32 filled:u32 last_avail_idx:u32'],
  ['virtio_blk_counted', 'block', 'dev:dev queue:queue submitted:u32 completed:u32 bytes:bytes'],
] as const satisfies readonly Spec[];

export type TraceEventName = (typeof SPECS)[number][0];

/** All events by id. */
export const TRACE_EVENTS: readonly TraceEventDef[] = SPECS.map((spec: Spec, id) => ({
  id,
  name: spec[0],
  group: spec[1],
  args: spec[2] === '' ? [] : spec[2].split(' ').map((arg) => arg.split(':') as [string, ArgKind]),
  enabled: spec[3] ?? true,
}));

/** Event id by name: `TRACE.virtqueue_pop`. */
export const TRACE: { readonly [N in TraceEventName]: number } = Object.fromEntries(
  TRACE_EVENTS.map((event) => [event.name, event.id]),
) as { [N in TraceEventName]: number };

/** These are told by a hold or a step itself: they would stop what they speak of. */
const OF_HOLDS: readonly TraceEventName[] = ['context_hold', 'context_step', 'context_break'];
/** Sums of what has happened: a breakpoint belongs on what it was. */
const SUMS: readonly TraceEventName[] = ['virtqueue_counted', 'virtio_blk_counted'];

/** Can a breakpoint be set on the event? It happens in a context, or says which device it is about. */
export const isBreakable = ({ id, args, group }: TraceEventDef): boolean =>
  ![...OF_HOLDS, ...SUMS].some((name) => TRACE[name] === id) &&
  (group === 'block' || args.some(([, kind]) => kind === 'ctx' || kind === 'dev' || kind === 'gsi'));

/** Looks an event up by the name a user typed. */
export const traceEventByName = (name: string): TraceEventDef | undefined =>
  TRACE_EVENTS.find((event) => event.name === name);
