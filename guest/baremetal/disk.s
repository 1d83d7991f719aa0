# virtio-blk (virtio 1.2, 5.2): finding disks, choosing one, single requests.

.equ PROBE_BYTES, SECTOR_SIZE * 3
.equ EXT_MAGIC, 0xef53          # at 1080
.equ BOOT_MAGIC, 0xaa55         # at 510
.equ REQUEST_TIMEOUT, 30        # seconds

# Lists the disks, highest transport first: that is the order of the command line on this board.
# Then chooses the first.
disks_find:
    enter8
    li      s0, VIRTIO_MMIO_SLOTS
    la      s1, disks
    sd      zero, disk_count, t0
1:  addi    s0, s0, -1
    li      t0, VIRTIO_MMIO_STRIDE
    mul     t0, t0, s0
    li      t1, VIRTIO_MMIO
    add     t0, t0, t1
    lw      t1, MMIO_MAGIC(t0)
    li      t2, MMIO_MAGIC_VALUE
    bne     t1, t2, 2f
    lw      t1, MMIO_DEVICE_ID(t0)
    li      t2, DEVICE_ID_BLOCK
    bne     t1, t2, 2f
    lw      t1, MMIO_VERSION(t0)
    li      t2, 2
    bne     t1, t2, 5f
    sd      t0, 0(s1)
    addi    t0, s0, VIRTIO_MMIO_IRQ
    sd      t0, 8(s1)
    addi    s1, s1, 16
    la      t0, disk_count
    ld      t1, 0(t0)
    addi    t1, t1, 1
    sd      t1, 0(t0)
2:  bnez    s0, 1b
    ld      t0, disk_count
    bnez    t0, 3f
    print   "no virtio-blk disk found\n"
    leave8
3:  li      a0, 0
    call    disk_choose
    leave8
5:  mv      a1, s0
    print   "transport %u: a disk behind the legacy interface, which this program does not speak\n"
    j       2b

# Makes disk a0 the one in use. Answers a0 = 0, or the reason why not.
disk_choose:
    enter4
    mv      s3, a0
    la      s0, device
    ld      t0, DEV_BASE(s0)
    beqz    t0, 1f
    sw      zero, MMIO_STATUS(t0)       # the one before falls silent
    ld      a0, DEV_IRQ(s0)
    call    plic_deny
1:  mv      t0, s0
    li      t1, DEV_SIZE
    add     t1, t1, s0
2:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 2b
    sd      s3, disk_current, t0
    la      t0, disks
    slli    t1, s3, 4
    add     t0, t0, t1
    ld      t1, 0(t0)
    sd      t1, DEV_BASE(s0)
    ld      a0, 8(t0)
    sd      a0, DEV_IRQ(s0)
    call    plic_allow
    call    device_start
    bnez    a0, 3f
    call    disk_probe
    call    disk_describe
    li      a0, 0
    leave4
3:  mv      s0, a0
    mv      a1, a0
    print   "error: %s\n"
    mv      a0, s0
    leave4

# Reads the configuration the negotiated features make valid. s0 = device, s1 = registers.
block_configure:
    enter0
    call    read_capacity
    ld      t0, DEV_FEATURES(s0)
    li      t1, -1
    andi    t2, t0, 1 << BLK_F_SIZE_MAX
    beqz    t2, 2f
    lwu     t1, CONFIG_SIZE_MAX(s1)
2:  sd      t1, DEV_SIZE_MAX(s0)
    li      t1, 1
    andi    t2, t0, 1 << BLK_F_SEG_MAX
    beqz    t2, 3f
    lwu     t1, CONFIG_SEG_MAX(s1)
3:  sd      t1, DEV_SEG_MAX(s0)
    li      t1, SECTOR_SIZE
    andi    t2, t0, 1 << BLK_F_BLK_SIZE
    beqz    t2, 4f
    lwu     t1, CONFIG_BLK_SIZE(s1)
4:  sd      t1, DEV_BLK_SIZE(s0)
    li      t1, 1
    srli    t2, t0, BLK_F_MQ
    andi    t2, t2, 1
    beqz    t2, 5f
    lhu     t1, CONFIG_NUM_QUEUES(s1)
5:  la      t2, wishes
    ld      t2, WISH_QUEUES(t2)
    bleu    t1, t2, 6f
    mv      t1, t2
6:  bnez    t1, 7f
    li      t1, 1
7:  sd      t1, DEV_QUEUES(s0)
    leave0

# Reads the size of the disk. s0 = device, s1 = registers.
read_capacity:
1:  lwu     t0, MMIO_CONFIG_GENERATION(s1)      # unchanged over the reads: they belong together
    lwu     t1, CONFIG_CAPACITY(s1)
    lwu     t2, CONFIG_CAPACITY + 4(s1)
    lwu     t3, MMIO_CONFIG_GENERATION(s1)
    bne     t0, t3, 1b
    slli    t2, t2, 32
    or      t1, t1, t2
    sd      t1, DEV_CAPACITY(s0)
    ret

# Does one request and waits for it: a0 = type, a1 = sector, a2 = buffer, a3 = bytes.
# Answers a0 = its status, or STATUS_PENDING if it does not come back.
request_do:
    enter8
    la      s0, single_request
    sw      a0, REQ_TYPE(s0)
    sw      zero, REQ_IOPRIO(s0)
    sd      a1, REQ_SECTOR(s0)
    sd      a2, REQ_BUFFER(s0)
    sw      a3, REQ_BYTES(s0)
    sw      a3, REQ_SEG_BYTES(s0)
    snez    t0, a3
    sw      t0, REQ_SEGMENTS(s0)
    la      a0, single_table
    sd      a0, REQ_TABLE(s0)
    li      a1, 3
    call    link_descriptors
    la      s1, queues
    mv      a0, s1
    mv      a1, s0
    rdtime  a2
    call    vq_add
    mv      a0, s1
    call    vq_kick
    rdtime  s2
    ld      t0, timebase
    li      t1, REQUEST_TIMEOUT
    mul     t0, t0, t1
    add     s2, s2, t0
1:  mv      a0, s1
    call    vq_pop
    beq     a0, s0, 3f
    rdtime  t0
    bgeu    t0, s2, 2f
    bnez    a0, 1b
    mv      a0, s2
    call    wait_for_used
    j       1b
2:  call    device_start        # takes the request back
    li      a0, STATUS_PENDING
    leave8
3:  lbu     a0, REQ_STATUS(s0)
    leave8

# Looks whether the disk holds something. Its first sectors are zero or our pattern: it may be written.
disk_probe:
    enter4
    sd      zero, disk_content, t0
    la      t0, device
    ld      t0, DEV_CAPACITY(t0)
    li      t1, 3
    bltu    t0, t1, 9f
    li      a0, BLK_T_IN
    li      a1, 0
    la      a2, probe_buffer
    li      a3, PROBE_BYTES
    call    request_do
    text    s0, "unreadable"
    bnez    a0, 8f
    la      s1, probe_buffer
    ld      t0, PATTERN_MAGIC_AT(s1)
    li      t1, PATTERN_MAGIC
    beq     t0, t1, 9f
    lhu     t0, 1080(s1)
    li      t1, EXT_MAGIC
    text    s0, "an ext2/3/4 file system"
    beq     t0, t1, 8f
    lhu     t0, 510(s1)
    li      t1, BOOT_MAGIC
    text    s0, "a boot sector"
    beq     t0, t1, 8f
    text    s0, "data"
    addi    t1, s1, PROBE_BYTES
1:  ld      t0, 0(s1)
    bnez    t0, 8f
    addi    s1, s1, 8
    bltu    s1, t1, 1b
    j       9f
8:  sd      s0, disk_content, t0
9:  leave4

# One line about the disk in use.
disk_describe:
    enter4
    la      s0, device
    ld      a1, disk_current
    ld      a2, DEV_CAPACITY(s0)
    ld      a3, DEV_BLK_SIZE(s0)
    ld      a4, DEV_QUEUES(s0)
    la      t0, queues
    lwu     a5, VQ_SIZE(t0)
    ld      a6, DEV_IRQ(s0)
    ld      t0, DEV_FEATURES(s0)
    srli    t0, t0, BLK_F_RO
    andi    a7, t0, 1
    print   "disk=%u sectors=%u blk_size=%u queues=%u queue_size=%u irq=%u read_only=%u\n"
    ld      a1, disk_content
    beqz    a1, 1f
    print   "disk holds %s; 'unlock' lets commands write to it\n"
1:  leave4

.bss
.balign 16
single_table:   .skip 3 * 16
single_request: .skip REQ_SIZE
probe_buffer:   .skip PROBE_BYTES
disk_count:     .skip 8
disk_current:   .skip 8
disk_content:   .skip 8         # what the disk seems to hold, as a string; 0: nothing of value
disks:          .skip 16 * VIRTIO_MMIO_SLOTS    # base address, interrupt
.text
