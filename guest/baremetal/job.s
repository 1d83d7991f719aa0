# A load: its parameters from the command line, and the memory it needs.

.equ DEFAULT_BLOCK_BYTES, 4096
.equ DEFAULT_DEPTH, 16
.equ DEFAULT_COUNT, 4096
.equ DEFAULT_SEED, 1
.equ DEFAULT_READS, 50
.equ DEFAULT_TIMEOUT, 30
.equ MAX_BLOCK_BYTES, 16 << 20

# One word of the command line that sets a field of the job.
.macro option name, field
    .word   \field
    .asciz  "\name"
    .balign 16
.endm

.section .rodata
.balign 16
options:
    option  "bs", JOB_BLOCK_BYTES
    option  "qd", JOB_DEPTH
    option  "count", JOB_COUNT
    option  "secs", JOB_SECONDS
    option  "seed", JOB_SEED
    option  "segs", JOB_SEGMENTS
    option  "start", JOB_START
    option  "span", JOB_SPAN
    option  "gen", JOB_GENERATION
    option  "reads", JOB_READS
    option  "flush", JOB_FLUSH
    option  "timeout", JOB_TIMEOUT
    option  "sweep", JOB_SWEEP
options_end:
.text

# Sets every field to its default; a0 = name of the operation.
job_reset:
    la      t0, job
    li      t1, JOB_SIZE
    add     t1, t1, t0
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b
    la      t0, job
    sd      a0, JOB_NAME(t0)
    li      t1, DEFAULT_BLOCK_BYTES
    sd      t1, JOB_BLOCK_BYTES(t0)
    li      t1, DEFAULT_DEPTH
    sd      t1, JOB_DEPTH(t0)
    li      t1, DEFAULT_SEED
    sd      t1, JOB_SEED(t0)
    li      t1, 1
    sd      t1, JOB_SEGMENTS(t0)
    li      t1, DEFAULT_READS
    sd      t1, JOB_READS(t0)
    li      t1, DEFAULT_TIMEOUT
    sd      t1, JOB_TIMEOUT(t0)
    ret

# Reads the rest of the line. Answers a0 = 0, or 1 after saying what is wrong.
job_parse:
    enter8
    la      s0, job
1:  call    next_word
    beqz    a0, 8f
    mv      s1, a0
    text    a1, "seq"
    call    strcmp
    beqz    a0, 2f
    mv      a0, s1
    text    a1, "rand"
    call    strcmp
    bnez    a0, 3f
    li      a0, 1
2:  sd      a0, JOB_RANDOM(s0)
    j       1b
3:  la      s2, options
4:  mv      a0, s1
    addi    a1, s2, 4
    call    strcmp
    beqz    a0, 5f
    addi    s2, s2, 16
    la      t0, options_end
    bltu    s2, t0, 4b
    mv      a1, s1
    print   "error: unknown option '%s'; see help\n"
    li      a0, 1
    leave8
5:  call    next_word
    beqz    a0, 6f
    mv      s3, a0
    call    parse_number
    beqz    a1, 7f
    lwu     t0, 0(s2)
    add     t0, t0, s0
    sd      a0, 0(t0)
    j       1b
6:  mv      a1, s1
    print   "error: '%s' needs a number\n"
    li      a0, 1
    leave8
7:  mv      a1, s3
    print   "error: '%s' is not a number\n"
    li      a0, 1
    leave8
8:  li      a0, 0
    leave8

# Checks the parameters against the disk and each other. Answers a0 = 0, or the reason why not.
job_check:
    enter4
    la      s0, job
    la      s1, device
    ld      t0, DEV_RUNNING(s1)
    text    a0, "there is no disk in use"
    beqz    t0, 9f
    ld      t0, JOB_FIRST(s0)
    la      t1, next_mixed
    bne     t0, t1, 8f
    ld      t0, JOB_READS(s0)
    li      t1, 100
    bne     t0, t1, 8f
    sd      zero, JOB_WRITES(s0)        # a mix of reads alone
8:  ld      t0, JOB_WRITES(s0)
    beqz    t0, 1f
    call    write_allowed
    bnez    a0, 9f
1:  ld      t0, JOB_BLOCK_BYTES(s0)
    ld      t1, DEV_BLK_SIZE(s1)
    text    a0, "bs must be a multiple of the block size, up to 16M"
    beqz    t0, 9f
    beqz    t1, 2f
    remu    t1, t0, t1
    bnez    t1, 9f
2:  andi    t1, t0, SECTOR_SIZE - 1
    bnez    t1, 9f
    li      t1, MAX_BLOCK_BYTES
    bgtu    t0, t1, 9f

    ld      t1, JOB_DEPTH(s0)
    text    a0, "qd must be 1 to 1024"
    beqz    t1, 9f
    li      t2, MAX_DEPTH
    bgtu    t1, t2, 9f

    ld      t1, JOB_SEGMENTS(s0)
    text    a0, "segs must be 1 to seg_max (see info), at most 126, and two less than the queue size"
    beqz    t1, 9f
    li      t2, MAX_SEGMENTS
    bgtu    t1, t2, 9f
    ld      t2, DEV_SEG_MAX(s1)
    bgtu    t1, t2, 9f
    la      t2, queues
    lwu     t2, VQ_SIZE(t2)
    addi    t2, t2, -2
    bgt     t1, t2, 9f          # a chain is never longer than the queue (2.7.5.3.1)
    srli    t2, t0, 9
    text    a0, "bs is too small for so many segs of at least 512 bytes"
    bgtu    t1, t2, 9f
    divu    t2, t2, t1
    slli    t2, t2, 9
    sd      t2, JOB_SEG_BYTES(s0)
    ld      t3, DEV_SIZE_MAX(s1)
    text    a0, "segments are longer than size_max: use a larger segs or a smaller bs"
    addi    t4, t1, -1          # the last one is the longest
    mul     t4, t4, t2
    sub     t4, t0, t4
    bgtu    t4, t3, 9f

    ld      t1, DEV_CAPACITY(s1)
    slli    t1, t1, 9
    ld      t2, JOB_START(s0)
    andi    t3, t2, SECTOR_SIZE - 1
    text    a0, "start must be a multiple of 512 within the disk"
    bnez    t3, 9f
    bgtu    t2, t1, 9f
    sub     t1, t1, t2
    ld      t2, JOB_SPAN(s0)
    beqz    t2, 3f
    text    a0, "span reaches beyond the end of the disk"
    bgtu    t2, t1, 9f
    mv      t1, t2
3:  divu    t1, t1, t0
    sd      t1, JOB_BLOCKS(s0)
    text    a0, "not one block of bs fits there"
    beqz    t1, 9f
    ld      t1, JOB_READS(s0)
    li      t2, 100
    text    a0, "reads is a percentage"
    bgtu    t1, t2, 9f

    ld      t0, JOB_COUNT(s0)   # without a limit: a default, or the time limit alone
    bnez    t0, 5f
    li      t0, -1
    ld      t1, JOB_SECONDS(s0)
    ld      t2, JOB_ENDLESS(s0)
    or      t1, t1, t2
    bnez    t1, 4f
    li      t0, DEFAULT_COUNT
4:  sd      t0, JOB_COUNT(s0)
5:  ld      t0, JOB_GENERATION(s0)
    bnez    t0, 6f
    la      t1, last_generation
    ld      t0, 0(t1)
    ld      t2, JOB_WRITES(s0)  # a check expects what the last write left
    add     t0, t0, t2
    sd      t0, JOB_GENERATION(s0)
6:  sd      t0, last_generation, t1
    call    job_allocate
9:  leave4

# Answers a0 = 0 if commands may write to the disk, or the reason why not.
write_allowed:
    la      t0, wishes
    ld      t0, WISH_UNLOCKED(t0)
    bnez    t0, 1f
    la      t0, device
    ld      t0, DEV_FEATURES(t0)
    srli    t0, t0, BLK_F_RO
    andi    t0, t0, 1
    text    a0, "the disk is read-only ('unlock' lets commands try)"
    bnez    t0, 2f
    ld      t0, disk_content
    text    a0, "the disk holds data ('unlock' lets commands overwrite it)"
    bnez    t0, 2f
1:  li      a0, 0
2:  ret

# Makes the requests, their buffers and indirect tables, and the table of a mix.
# s0 = job. Answers a0 = 0, or the reason why not.
job_allocate:
    enter12
    ld      t0, heap_mark
    sd      t0, heap_next, t1
    ld      s2, JOB_DEPTH(s0)
    li      a0, REQ_SIZE
    mul     a0, a0, s2
    call    heap_alloc
    beqz    a0, 8f
    sd      a0, JOB_REQUESTS(s0)
    mv      s3, a0
    ld      s4, JOB_SEGMENTS(s0)
    slli    s6, s4, 6           # SEGMENT_GAP each
    ld      t0, JOB_BLOCK_BYTES(s0)
    add     s6, s6, t0          # bytes of a buffer
    addi    s4, s4, 2           # entries of an indirect table
1:  mv      a0, s6
    call    heap_alloc
    beqz    a0, 8f
    sd      a0, REQ_BUFFER(s3)
    slli    a0, s4, 4
    call    heap_alloc
    beqz    a0, 8f
    sd      a0, REQ_TABLE(s3)
    mv      a1, s4
    call    link_descriptors
    ld      t0, JOB_IDLE(s0)
    sd      t0, REQ_LINK(s3)
    sd      s3, JOB_IDLE(s0)
    addi    s3, s3, REQ_SIZE
    addi    s2, s2, -1
    bnez    s2, 1b
    ld      t0, JOB_FIRST(s0)
    la      t1, next_mixed
    bne     t0, t1, 2f
    ld      a0, JOB_BLOCKS(s0)
    slli    a0, a0, 1
    call    heap_alloc
    beqz    a0, 8f
    sd      a0, JOB_TABLE(s0)
2:  li      a0, 0
    leave12
8:  text    a0, "too little RAM: use a smaller bs, qd or span"
    leave12

.bss
.balign 8
job:            .skip JOB_SIZE
last_generation: .skip 8        # of the last load
.text
