# The records that several files share, as offsets.

.equ MAX_QUEUES, 8
.equ MAX_QUEUE_SIZE, 1024
.equ MAX_SEGMENTS, 126
.equ MAX_DEPTH, 1024
.equ SEGMENT_GAP, 64            # bytes between the segments of a request, to see the device overrun
.equ STATUS_PENDING, 0xff       # the status byte while a request is in flight

# --- One virtqueue, as the driver sees it -------------------------------------------------------------
.struct 0
VQ_DESCRIPTORS: .skip 8         # the descriptor table
VQ_AVAIL:       .skip 8         # the available ring (driver to device)
VQ_USED:        .skip 8         # the used ring (device to driver)
VQ_OWNERS:      .skip 8         # per descriptor: the request in flight whose chain starts there, or 0
VQ_INDEX:       .skip 4         # which queue of the device
VQ_SIZE:        .skip 4         # entries, a power of two
VQ_FREE:        .skip 4         # first descriptor of the free list (linked by their next fields)
VQ_FREE_COUNT:  .skip 4
VQ_AVAIL_IDX:   .skip 4         # avail.idx as last published (16 bits)
VQ_KICKED_IDX:  .skip 4         # avail.idx at the last kick
VQ_USED_IDX:    .skip 4         # used.idx up to which completions were taken
.balign 8
VQ_BYTES:

# --- One request and what must stay in place while the device works on it ----------------------------
.struct 0
REQ_TYPE:       .skip 4         # struct virtio_blk_outhdr: read by the device
REQ_IOPRIO:     .skip 4
REQ_SECTOR:     .skip 8
REQ_STATUS:     .skip 1         # written by the device
.balign 8
REQ_BUFFER:     .skip 8         # the first segment
REQ_TABLE:      .skip 8         # the indirect descriptor table
REQ_QUEUE:      .skip 8         # its virtqueue
REQ_STARTED:    .skip 8         # time of submission, in ticks
REQ_LINK:       .skip 8         # next in the list of idle requests
REQ_BLOCK:      .skip 8         # its block in the mix table
REQ_BYTES:      .skip 4         # data in all segments
REQ_SEGMENTS:   .skip 4         # how many
REQ_SEG_BYTES:  .skip 4         # data in each but the last
REQ_GENERATION: .skip 4         # of the pattern written or expected
REQ_CHECK:      .skip 4         # 1: compare the data with the pattern when it arrives
REQ_IN_FLIGHT:  .skip 4         # 1 between submission and completion
.balign 64
REQ_SIZE:

# --- The device in use -------------------------------------------------------------------------------
.struct 0
DEV_BASE:       .skip 8         # its registers; 0: none
DEV_IRQ:        .skip 8
DEV_OFFERED:    .skip 8         # feature bits
DEV_FEATURES:   .skip 8         # feature bits negotiated
DEV_CAPACITY:   .skip 8         # in sectors of 512 bytes
DEV_SEG_MAX:    .skip 8
DEV_SIZE_MAX:   .skip 8
DEV_BLK_SIZE:   .skip 8
DEV_QUEUES:     .skip 8         # in use
DEV_RUNNING:    .skip 8         # 1: DRIVER_OK was set
DEV_KICKS:      .skip 8         # QueueNotify writes
DEV_INTERRUPTS: .skip 8         # used-buffer interrupts taken
DEV_SPURIOUS:   .skip 8         # interrupts with no cause in InterruptStatus
DEV_CHANGES:    .skip 8         # configuration-change interrupts taken
DEV_CHANGES_SEEN: .skip 8       # of which were reported
DEV_UNKNOWN:    .skip 8         # completions of ids that were not in flight
DEV_SIZE:

# --- Wishes of the user, kept over a change of disk --------------------------------------------------
.struct 0
WISH_EVENT_IDX: .skip 8
WISH_INDIRECT:  .skip 8
WISH_INTERRUPTS: .skip 8        # 0: poll the used rings
WISH_QUEUES:    .skip 8         # at most so many
WISH_QUEUE_SIZE: .skip 8        # at most so many entries
WISH_UNLOCKED:  .skip 8         # 1: may write to a disk that looks used
WISH_SIZE:

# --- A load ------------------------------------------------------------------------------------------
.struct 0
# What the user may set, each by a word of the command line (job.s).
JOB_BLOCK_BYTES: .skip 8        # bs: bytes per request
JOB_DEPTH:      .skip 8         # qd: requests in flight
JOB_COUNT:      .skip 8         # count: requests
JOB_SECONDS:    .skip 8         # secs: time for new requests
JOB_SEED:       .skip 8         # seed
JOB_SEGMENTS:   .skip 8         # segs: segments per request (mix: at most)
JOB_START:      .skip 8         # start: first byte on the disk
JOB_SPAN:       .skip 8         # span: bytes of the disk
JOB_GENERATION: .skip 8         # gen: of the pattern
JOB_READS:      .skip 8         # reads: percentage of reads in mix
JOB_FLUSH:      .skip 8         # flush: in mix and write, a FLUSH after so many requests; 0: none
JOB_TIMEOUT:    .skip 8         # timeout: seconds without a completion until requests count as lost
JOB_SWEEP:      .skip 8         # sweep: 1: mix ends with a check of all it wrote
JOB_RANDOM:     .skip 8         # 1: 'rand'
# What the command sets.
JOB_NAME:       .skip 8
JOB_FIRST:      .skip 8         # the first phase: the function that prepares its next request
JOB_SECOND:     .skip 8         # the second phase, or 0
JOB_WRITES:     .skip 8         # 1: changes the disk
JOB_ENDLESS:    .skip 8         # 1: until a key is pressed, with progress lines
# What follows from these.
JOB_BLOCKS:     .skip 8
JOB_SEG_BYTES:  .skip 8
JOB_REQUESTS:   .skip 8         # the array of requests
JOB_TABLE:      .skip 8         # mix: per block 16 bits, see operations.s; 0: not a mix
# How far it is.
JOB_NEXT:       .skip 8         # the function of the current phase
JOB_LIMIT:      .skip 8         # requests in this phase
JOB_ISSUED:     .skip 8         # of which were prepared
JOB_ENDED:      .skip 8         # 1: no new requests in this phase
JOB_STOPPED:    .skip 8         # 1: Control-C: no second phase either
JOB_STATE:      .skip 8         # of the pseudo-random sequence
JOB_CURSOR:     .skip 8         # sweep: the next block to look at
JOB_DRAWN:      .skip 8         # mix: 1: the next request is drawn but its block is busy
JOB_DRAWN_BLOCK: .skip 8
JOB_DRAWN_TYPE: .skip 8
JOB_SINCE_FLUSH: .skip 8        # requests since the last FLUSH
JOB_IDLE:       .skip 8         # list of idle requests
JOB_HELD:       .skip 8         # a prepared request for which there was no descriptor
JOB_QUEUE:      .skip 8         # index of the queue for the next request
JOB_BEGAN:      .skip 8         # times in ticks
JOB_DEADLINE:   .skip 8
JOB_CLOCK:      .skip 8         # as last read: at the beginning of a round, and by each completion
JOB_COMPLETED:  .skip 8         # the last completion
JOB_TICK:       .skip 8         # the next progress line
JOB_TICK_DONE:  .skip 8         # completions before the last progress line
# What came of it.
JOB_IN_FLIGHT:  .skip 8
JOB_MOST:       .skip 8         # most requests in flight at once
JOB_DONE:       .skip 8         # completions of reads and writes
JOB_FLUSHES:    .skip 8         # completions of FLUSH
JOB_BYTES:      .skip 8
JOB_ERRORS:     .skip 8
JOB_LOST:       .skip 8
JOB_LATENCY:    .skip 8         # sum, in ticks
JOB_WORST:      .skip 8         # the longest
JOB_DIGEST:     .skip 8         # of the sequence of requests
JOB_KICKS:      .skip 8         # of the device, before
JOB_INTERRUPTS: .skip 8
JOB_SIZE:
.text
