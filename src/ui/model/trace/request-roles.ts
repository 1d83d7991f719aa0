import { roleByEvent } from './role-by-event.ts';

/** What a record says of a request, by event: small numbers in the order of how often they come, for a dense switch. */
export const NOTHING = 0;
export const POP = 1;
export const READ = 2;
export const WRITE = 3;
export const SUBMIT = 4;
export const DISK_DONE = 5;
export const STATUS = 6;
export const FILL = 7;
export const FLUSH = 8;
export const NOTIFY = 9;
export const CLAIM = 10;
export const ACKNOWLEDGE = 11;
export const KICK = 12;
export const DISPATCH_BEGIN = 13;
export const DISPATCH_END = 14;
export const POLL_BEGIN = 15;
export const MERGE = 16;
export const OTHER = 17;
export const SET_STATUS = 18;
export const COUNTED = 19;
export const COUNTED_AT_DISK = 20;

export const REQUEST_ROLE = roleByEvent({
  virtqueue_pop: POP,
  virtio_blk_handle_read: READ,
  virtio_blk_handle_write: WRITE,
  blk_co_preadv: SUBMIT,
  blk_co_pwritev: SUBMIT,
  blk_co_flush: SUBMIT,
  virtio_blk_rw_complete: DISK_DONE,
  virtio_blk_req_complete: STATUS,
  virtqueue_fill: FILL,
  virtqueue_flush: FLUSH,
  virtio_notify: NOTIFY,
  plic_claim: CLAIM,
  virtio_interrupt_ack: ACKNOWLEDGE,
  virtio_queue_notify: KICK,
  source_dispatch_begin: DISPATCH_BEGIN,
  source_dispatch_end: DISPATCH_END,
  context_poll_begin: POLL_BEGIN,
  virtio_blk_submit_multireq: MERGE,
  virtio_blk_handle_other: OTHER,
  virtio_set_status: SET_STATUS,
  virtqueue_counted: COUNTED,
  virtio_blk_counted: COUNTED_AT_DISK,
});
