# The virtio-mmio transport (virtio 1.2, 4.2): the registers, and bringing a device up.

.equ MMIO_MAGIC, 0x00
.equ MMIO_VERSION, 0x04
.equ MMIO_DEVICE_ID, 0x08
.equ MMIO_DEVICE_FEATURES, 0x10
.equ MMIO_DEVICE_FEATURES_SEL, 0x14
.equ MMIO_DRIVER_FEATURES, 0x20
.equ MMIO_DRIVER_FEATURES_SEL, 0x24
.equ MMIO_QUEUE_SEL, 0x30
.equ MMIO_QUEUE_NUM_MAX, 0x34
.equ MMIO_QUEUE_NUM, 0x38
.equ MMIO_QUEUE_READY, 0x44
.equ MMIO_QUEUE_NOTIFY, 0x50
.equ MMIO_INTERRUPT_STATUS, 0x60
.equ MMIO_INTERRUPT_ACK, 0x64
.equ MMIO_STATUS, 0x70
.equ MMIO_QUEUE_DESC, 0x80      # low word, then high word
.equ MMIO_QUEUE_DRIVER, 0x90
.equ MMIO_QUEUE_DEVICE, 0xa0
.equ MMIO_CONFIG_GENERATION, 0xfc

.equ MMIO_MAGIC_VALUE, 0x74726976       # "virt"
.equ DEVICE_ID_BLOCK, 2

.equ STATUS_ACKNOWLEDGE, 1
.equ STATUS_DRIVER, 2
.equ STATUS_DRIVER_OK, 4
.equ STATUS_FEATURES_OK, 8
.equ STATUS_NEEDS_RESET, 64

.equ INTERRUPT_USED, 1
.equ INTERRUPT_CONFIG, 2

.equ F_INDIRECT_DESC, 28
.equ F_EVENT_IDX, 29
.equ F_VERSION_1, 32

# Brings the device up with the features both sides want, all its rings new. Whatever was in flight is
# forgotten. Answers a0 = 0, or the reason why not.
device_start:
    enter8
    la      s0, device
    ld      s1, DEV_BASE(s0)
    sd      zero, DEV_RUNNING(s0)
    sw      zero, MMIO_STATUS(s1)       # reset, and wait until it is done (4.2.3.1)
1:  lw      t0, MMIO_STATUS(s1)
    bnez    t0, 1b
    ld      t0, heap_start
    sd      t0, heap_next, t1

    li      t0, STATUS_ACKNOWLEDGE
    sw      t0, MMIO_STATUS(s1)
    li      t0, STATUS_ACKNOWLEDGE | STATUS_DRIVER
    sw      t0, MMIO_STATUS(s1)
    call    device_negotiate
    bnez    a0, 9f
    call    block_configure
    li      s2, 0
2:  mv      a0, s2
    call    device_start_queue
    bnez    a0, 9f
    addi    s2, s2, 1
    ld      t0, DEV_QUEUES(s0)
    bltu    s2, t0, 2b

    li      t0, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK
    sw      t0, MMIO_STATUS(s1)
    li      t0, 1
    sd      t0, DEV_RUNNING(s0)
    ld      t0, heap_next
    sd      t0, heap_mark, t1
    li      a0, 0
9:  leave8

# Agrees on features: those this driver understands and the user wants, as far as offered.
# s0 = device, s1 = registers. Answers a0 = 0, or the reason why not.
device_negotiate:
    enter0
    li      t0, 1
    sw      t0, MMIO_DEVICE_FEATURES_SEL(s1)
    lwu     t1, MMIO_DEVICE_FEATURES(s1)
    slli    t1, t1, 32
    sw      zero, MMIO_DEVICE_FEATURES_SEL(s1)
    lwu     t0, MMIO_DEVICE_FEATURES(s1)
    or      t0, t0, t1
    sd      t0, DEV_OFFERED(s0)

    li      t1, BLOCK_FEATURES | 1 << F_VERSION_1
    la      t2, wishes
    ld      t3, WISH_EVENT_IDX(t2)
    slli    t3, t3, F_EVENT_IDX
    or      t1, t1, t3
    ld      t3, WISH_INDIRECT(t2)
    slli    t3, t3, F_INDIRECT_DESC
    or      t1, t1, t3
    and     t0, t0, t1
    sd      t0, DEV_FEATURES(s0)

    li      t1, 1
    sw      t1, MMIO_DRIVER_FEATURES_SEL(s1)
    srli    t2, t0, 32
    sw      t2, MMIO_DRIVER_FEATURES(s1)
    sw      zero, MMIO_DRIVER_FEATURES_SEL(s1)
    sw      t0, MMIO_DRIVER_FEATURES(s1)
    li      t1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK
    sw      t1, MMIO_STATUS(s1)
    lw      t1, MMIO_STATUS(s1)
    andi    t1, t1, STATUS_FEATURES_OK
    bnez    t1, 1f
    text    a0, "the device refuses the features"
    leave0
1:  li      a0, 0
    leave0

# Gives queue a0 its rings. s0 = device, s1 = registers. Answers a0 = 0, or the reason why not.
device_start_queue:
    enter4
    mv      s3, a0
    sw      s3, MMIO_QUEUE_SEL(s1)
    lw      t0, MMIO_QUEUE_READY(s1)
    bnez    t0, 7f
    lwu     a2, MMIO_QUEUE_NUM_MAX(s1)
    beqz    a2, 8f
    la      t1, wishes
    ld      t1, WISH_QUEUE_SIZE(t1)
    bleu    a2, t1, 1f
    mv      a2, t1
1:  li      a0, VQ_BYTES
    mul     a0, a0, s3
    la      t0, queues
    add     a0, a0, t0
    mv      s2, a0
    mv      a1, s3
    call    vq_init
    bnez    a0, 9f
    lw      t0, VQ_SIZE(s2)
    sw      t0, MMIO_QUEUE_NUM(s1)
    ld      t0, VQ_DESCRIPTORS(s2)
    sw      t0, MMIO_QUEUE_DESC(s1)
    srli    t0, t0, 32
    sw      t0, MMIO_QUEUE_DESC + 4(s1)
    ld      t0, VQ_AVAIL(s2)
    sw      t0, MMIO_QUEUE_DRIVER(s1)
    srli    t0, t0, 32
    sw      t0, MMIO_QUEUE_DRIVER + 4(s1)
    ld      t0, VQ_USED(s2)
    sw      t0, MMIO_QUEUE_DEVICE(s1)
    srli    t0, t0, 32
    sw      t0, MMIO_QUEUE_DEVICE + 4(s1)
    fence   rw, rw
    li      t0, 1
    sw      t0, MMIO_QUEUE_READY(s1)
    li      a0, 0
9:  leave4
7:  text    a0, "a queue is ready before it was set up"
    leave4
8:  text    a0, "a queue does not exist"
    leave4

# Takes the interrupt of source a0. Completions are only counted: who waits for them looks at the rings.
virtio_interrupt:
    la      t0, device
    ld      t1, DEV_BASE(t0)
    beqz    t1, 3f
    lwu     t2, MMIO_INTERRUPT_STATUS(t1)
    sw      t2, MMIO_INTERRUPT_ACK(t1)
    beqz    t2, 2f
    andi    t3, t2, INTERRUPT_USED
    ld      t4, DEV_INTERRUPTS(t0)
    add     t4, t4, t3
    sd      t4, DEV_INTERRUPTS(t0)
    andi    t3, t2, INTERRUPT_CONFIG
    beqz    t3, 3f
    ld      t4, DEV_CHANGES(t0)
    addi    t4, t4, 1
    sd      t4, DEV_CHANGES(t0)
    ret
2:  ld      t4, DEV_SPURIOUS(t0)
    addi    t4, t4, 1
    sd      t4, DEV_SPURIOUS(t0)
3:  ret

.bss
.balign 8
device:         .skip DEV_SIZE
wishes:         .skip WISH_SIZE
queues:         .skip VQ_BYTES * MAX_QUEUES
.text
