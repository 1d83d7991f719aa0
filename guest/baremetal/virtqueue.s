# The split virtqueue (virtio 1.2, 2.7), driver side.
#
# Three areas in memory: the descriptor table (16 bytes each: address, length, flags, next), the
# available ring (flags, idx, heads, used_event) and the used ring (flags, idx, {id, length} pairs,
# avail_event). Indices run through 16 bits and are taken modulo the size.

.equ DESC_SIZE, 16
.equ DESC_LENGTH, 8
.equ DESC_FLAGS, 12
.equ DESC_NEXT, 14

.equ DESC_F_NEXT, 1
.equ DESC_F_WRITE, 2            # the device writes
.equ DESC_F_INDIRECT, 4

.equ RING_IDX, 2
.equ RING_ENTRIES, 4
.equ AVAIL_F_NO_INTERRUPT, 1
.equ USED_F_NO_NOTIFY, 1

# Makes queue a0 empty, with index a1 and a2 entries. Answers a0 = 0, or the reason why not.
vq_init:
    enter4
    mv      s0, a0
    mv      s1, a2
    sw      a1, VQ_INDEX(s0)
    sw      a2, VQ_SIZE(s0)
    sw      a2, VQ_FREE_COUNT(s0)
    sw      zero, VQ_FREE(s0)
    sw      zero, VQ_AVAIL_IDX(s0)
    sw      zero, VQ_KICKED_IDX(s0)
    sw      zero, VQ_USED_IDX(s0)
    slli    a0, s1, 4
    call    heap_alloc
    sd      a0, VQ_DESCRIPTORS(s0)
    beqz    a0, 9f
    slli    a0, s1, 1
    addi    a0, a0, 6
    call    heap_alloc
    sd      a0, VQ_AVAIL(s0)
    beqz    a0, 9f
    slli    a0, s1, 3
    addi    a0, a0, 6
    call    heap_alloc
    sd      a0, VQ_USED(s0)
    beqz    a0, 9f
    slli    a0, s1, 3
    call    heap_alloc
    sd      a0, VQ_OWNERS(s0)
    beqz    a0, 9f
    ld      a0, VQ_DESCRIPTORS(s0)
    mv      a1, s1
    call    link_descriptors
    mv      a0, s0
    call    vq_disarm
    li      a0, 0
    leave4
9:  text    a0, "too little RAM for the rings"
    leave4

# Links the a1 descriptors at a0 one after the other.
link_descriptors:
    li      t0, 1
1:  sh      t0, DESC_NEXT(a0)
    addi    a0, a0, DESC_SIZE
    addi    t0, t0, 1
    bleu    t0, a1, 1b
    ret

# Makes request a1 available on queue a0 at time a2: header, segments, status byte. The caller kicks.
# Answers a0 = 0, or -1 if there are too few free descriptors.
#
# The free list is linked by the same next fields that link a chain, so a chain is the head of the free
# list with its fields filled in; the indirect table of a request was linked once when it was made.
vq_add:
    sd      a2, REQ_STARTED(a1)
    lw      a5, VQ_FREE(a0)     # the head: what the device calls the request
    lw      t6, VQ_FREE_COUNT(a0)
    ld      t5, VQ_DESCRIPTORS(a0)
    lw      a7, REQ_SEGMENTS(a1)
    addi    a7, a7, 2           # descriptors of the chain
    la      t0, device
    ld      t0, DEV_FEATURES(t0)
    srli    t0, t0, F_INDIRECT_DESC
    andi    a6, t0, 1
    beqz    a6, 1f
    li      t1, 1
    ld      a4, REQ_TABLE(a1)
    mv      t2, a4
    j       2f
1:  mv      t1, a7
    mv      a4, t5
    slli    t2, a5, 4
    add     t2, t2, a4
2:  bltu    t6, t1, 9f          # t2 = the current descriptor, a4 = the table it is in
    sub     t6, t6, t1
    sw      t6, VQ_FREE_COUNT(a0)

    sd      a1, 0(t2)           # the header is the start of the request
    li      t0, 16
    sw      t0, DESC_LENGTH(t2)
    li      t0, DESC_F_NEXT
    sh      t0, DESC_FLAGS(t2)
    lhu     t2, DESC_NEXT(t2)
    slli    t2, t2, 4
    add     t2, t2, a4

    li      t3, DESC_F_NEXT     # segments are written by the device when it reads the disk
    lw      t0, REQ_TYPE(a1)
    beqz    t0, 3f
    li      t1, BLK_T_GET_ID
    bne     t0, t1, 4f
3:  li      t3, DESC_F_NEXT | DESC_F_WRITE
4:  ld      t4, REQ_BUFFER(a1)
    lwu     t0, REQ_BYTES(a1)   # left
    lwu     t1, REQ_SEG_BYTES(a1)
    lw      a2, REQ_SEGMENTS(a1)
    beqz    a2, 7f
5:  li      a3, 1
    bgtu    a2, a3, 6f
    mv      t1, t0              # the last one takes what is left
6:  sd      t4, 0(t2)
    sw      t1, DESC_LENGTH(t2)
    sh      t3, DESC_FLAGS(t2)
    lhu     t2, DESC_NEXT(t2)
    slli    t2, t2, 4
    add     t2, t2, a4
    add     t4, t4, t1
    addi    t4, t4, SEGMENT_GAP
    sub     t0, t0, t1
    addi    a2, a2, -1
    bnez    a2, 5b

7:  addi    t0, a1, REQ_STATUS
    sd      t0, 0(t2)
    li      t0, 1
    sw      t0, DESC_LENGTH(t2)
    li      t0, DESC_F_WRITE
    sh      t0, DESC_FLAGS(t2)
    beqz    a6, 8f
    slli    t2, a5, 4           # the whole table is one descriptor of the ring
    add     t2, t2, t5
    sd      a4, 0(t2)
    slli    t0, a7, 4
    sw      t0, DESC_LENGTH(t2)
    li      t0, DESC_F_INDIRECT
    sh      t0, DESC_FLAGS(t2)
8:  lhu     t0, DESC_NEXT(t2)
    sw      t0, VQ_FREE(a0)

    li      t0, STATUS_PENDING  # no device writes this one
    sb      t0, REQ_STATUS(a1)
    li      t0, 1
    sw      t0, REQ_IN_FLIGHT(a1)
    ld      t0, VQ_OWNERS(a0)
    slli    t1, a5, 3
    add     t0, t0, t1
    sd      a1, 0(t0)

    lw      t0, VQ_AVAIL_IDX(a0)
    lw      t1, VQ_SIZE(a0)
    addi    t1, t1, -1
    and     t1, t1, t0
    slli    t1, t1, 1
    ld      t2, VQ_AVAIL(a0)
    add     t1, t1, t2
    sh      a5, RING_ENTRIES(t1)
    addi    t0, t0, 1
    zext.h  t0, t0
    sw      t0, VQ_AVAIL_IDX(a0)
    fence   rw, w               # the request is whole before idx says so
    sh      t0, RING_IDX(t2)
    li      a0, 0
    ret
9:  li      a0, -1
    ret

# Tells the device about new requests on queue a0, unless it said it need not be told.
vq_kick:
    lw      t0, VQ_AVAIL_IDX(a0)
    lw      t1, VQ_KICKED_IDX(a0)
    beq     t0, t1, 3f
    sw      t0, VQ_KICKED_IDX(a0)
    fence   rw, rw              # idx is out before the device's wish is read, or both sides may sleep
    ld      t2, VQ_USED(a0)
    la      t3, device
    ld      t4, DEV_FEATURES(t3)
    srli    t4, t4, F_EVENT_IDX
    andi    t4, t4, 1
    beqz    t4, 1f
    lw      t4, VQ_SIZE(a0)
    slli    t4, t4, 3
    add     t4, t4, t2
    lhu     t4, RING_ENTRIES(t4)        # avail_event: tell me when idx passes this
    sub     t5, t0, t4
    addi    t5, t5, -1
    zext.h  t5, t5
    sub     t6, t0, t1
    zext.h  t6, t6
    bgeu    t5, t6, 3f
    j       2f
1:  lhu     t4, 0(t2)
    andi    t4, t4, USED_F_NO_NOTIFY
    bnez    t4, 3f
2:  ld      t0, DEV_KICKS(t3)
    addi    t0, t0, 1
    sd      t0, DEV_KICKS(t3)
    ld      t0, DEV_BASE(t3)
    lw      t1, VQ_INDEX(a0)
    fence   rw, o
    sw      t1, MMIO_QUEUE_NOTIFY(t0)
3:  ret

# Takes one completion from queue a0 and frees its descriptors. Answers a0 = the request and a1 = the
# number of bytes the device says it wrote; a0 = 0 if there is none; a0 = -1 and a1 = the id if nothing
# is in flight under that id (then it was completed twice, or never asked for).
vq_pop:
    ld      t0, VQ_USED(a0)
    lhu     t1, RING_IDX(t0)
    lw      t2, VQ_USED_IDX(a0)
    beq     t1, t2, 7f
    fence   r, rw               # the entry is read after idx, the data after that
    lw      t3, VQ_SIZE(a0)
    addi    t4, t3, -1
    and     t4, t4, t2
    slli    t4, t4, 3
    add     t4, t4, t0
    lwu     t5, RING_ENTRIES(t4)
    lwu     a1, RING_ENTRIES + 4(t4)
    addi    t2, t2, 1
    zext.h  t2, t2
    sw      t2, VQ_USED_IDX(a0)
    bgeu    t5, t3, 8f
    ld      t0, VQ_OWNERS(a0)
    slli    t1, t5, 3
    add     t0, t0, t1
    ld      a2, 0(t0)
    beqz    a2, 8f
    sd      zero, 0(t0)
    sw      zero, REQ_IN_FLIGHT(a2)

    ld      t0, VQ_DESCRIPTORS(a0)
    lw      t3, VQ_FREE_COUNT(a0)
    mv      t1, t5
1:  slli    t1, t1, 4           # to the last descriptor of the chain, counting
    add     t1, t1, t0
    addi    t3, t3, 1
    lhu     t4, DESC_FLAGS(t1)
    andi    t4, t4, DESC_F_NEXT
    beqz    t4, 2f
    lhu     t1, DESC_NEXT(t1)
    j       1b
2:  lw      t4, VQ_FREE(a0)
    sh      t4, DESC_NEXT(t1)
    sw      t5, VQ_FREE(a0)
    sw      t3, VQ_FREE_COUNT(a0)
    mv      a0, a2
    ret
7:  li      a0, 0
    ret
8:  mv      a1, t5
    li      a0, -1
    ret

# Answers a0 = 1 if queue a0 has a completion to take.
vq_ready:
    ld      t0, VQ_USED(a0)
    lhu     t0, RING_IDX(t0)
    lw      t1, VQ_USED_IDX(a0)
    sub     t0, t0, t1
    snez    a0, t0
    ret

# Asks for an interrupt at the next completion on queue a0.
vq_arm:
    ld      t0, VQ_AVAIL(a0)
    la      t1, device
    ld      t1, DEV_FEATURES(t1)
    srli    t1, t1, F_EVENT_IDX
    andi    t1, t1, 1
    lw      t2, VQ_USED_IDX(a0)
    bnez    t1, 1f
    sh      zero, 0(t0)         # flags
    ret
1:  lw      t3, VQ_SIZE(a0)
    slli    t3, t3, 1
    add     t3, t3, t0
    sh      t2, RING_ENTRIES(t3)        # used_event: interrupt me when idx passes this
    ret

# Asks for no interrupts from queue a0. With EVENT_IDX there is no 'never': half the range of idx ahead
# is as far as one can ask.
vq_disarm:
    ld      t0, VQ_AVAIL(a0)
    la      t1, device
    ld      t1, DEV_FEATURES(t1)
    srli    t1, t1, F_EVENT_IDX
    andi    t1, t1, 1
    lw      t2, VQ_USED_IDX(a0)
    li      t4, 1 << 15
    xor     t2, t2, t4
    bnez    t1, 1f
    li      t1, AVAIL_F_NO_INTERRUPT
    sh      t1, 0(t0)
    ret
1:  lw      t3, VQ_SIZE(a0)
    slli    t3, t3, 1
    add     t3, t3, t0
    sh      t2, RING_ENTRIES(t3)
    ret

# Returns when a completion may have come: at once when polling; else after the interrupt, or at time a0.
wait_for_used:
    enter4
    mv      s0, a0
    la      t0, wishes
    ld      t0, WISH_INTERRUPTS(t0)
    beqz    t0, 9f
    call    interrupts_disable
    la      a0, vq_arm
    call    each_queue
    fence   rw, rw              # our wish is out before the last look, or both sides may sleep
    la      a0, vq_ready
    call    each_queue
    bnez    a0, 1f
    mv      a0, s0
    call    idle
    j       2f
1:  call    interrupts_enable
2:  la      a0, vq_disarm
    call    each_queue
9:  leave4

# Calls the function a0 with every queue. Answers a0 = whether any answer was not 0 (of functions that
# answer).
each_queue:
    enter8
    mv      s0, a0
    la      s1, queues
    li      s2, 0
    la      t0, device
    ld      s3, DEV_QUEUES(t0)
1:  mv      a0, s1
    jalr    s0
    or      s2, s2, a0
    addi    s1, s1, VQ_BYTES
    addi    s3, s3, -1
    bnez    s3, 1b
    mv      a0, s2
    leave8
