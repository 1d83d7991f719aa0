# Which request comes next. Each function prepares request a0 (idle, not yet submitted) and answers
#   a0 = 0   it is ready to be submitted
#   a0 = 1   the next request must wait for one in flight
#   a0 = 2   this phase has no more requests
# The sequence of requests depends on the parameters and the seed only, never on the order in which
# completions arrive.

.equ NEXT_READY, 0
.equ NEXT_WAIT, 1
.equ NEXT_NONE, 2

.equ NO_BLOCK, -1
.equ DIGEST_MUL, 0x9e3779b97f4a7c15

# Per block of a mix: the generation of the last write (1..0x7fff; 0: unknown), and whether a request
# is in flight. A block has one request at a time: the disk promises nothing for overlapping ones.
.equ TABLE_BUSY, 0x8000
.equ TABLE_GENERATION, 0x7fff

# Answers a0 = the next block of 'seq' or 'rand', or NO_BLOCK at the end of the phase.
next_block:
    enter2
    la      s0, job
    call    phase_over
    bnez    a0, 2f
    ld      t0, JOB_ISSUED(s0)
    addi    t1, t0, 1
    sd      t1, JOB_ISSUED(s0)
    ld      s1, JOB_BLOCKS(s0)
    ld      t1, JOB_RANDOM(s0)
    bnez    t1, 1f
    remu    a0, t0, s1
    leave2
1:  addi    a0, s0, JOB_STATE
    call    random
    mulhu   a0, a0, s1          # scaled to 0..blocks - 1
    leave2
2:  li      a0, NO_BLOCK
    leave2

# Answers a0 = 1 if this phase has issued its last request.
phase_over:
    la      t0, job
    ld      t1, JOB_ISSUED(t0)
    ld      t2, JOB_LIMIT(t0)
    bgeu    t1, t2, 1f
    ld      t1, JOB_CLOCK(t0)
    ld      t2, JOB_DEADLINE(t0)
    bgeu    t1, t2, 1f
    li      a0, 0
    ret
1:  li      a0, 1
    ret

# Makes request a0 one of type a1 for block a2, in a3 segments, and counts it in the digest.
request_set:
    la      t0, job
    sw      a1, REQ_TYPE(a0)
    sw      zero, REQ_IOPRIO(a0)
    sw      zero, REQ_CHECK(a0)
    sd      a2, REQ_BLOCK(a0)
    ld      t1, JOB_BLOCK_BYTES(t0)
    sw      t1, REQ_BYTES(a0)
    sw      a3, REQ_SEGMENTS(a0)
    srli    t2, t1, 9
    divu    t2, t2, a3
    slli    t2, t2, 9
    sw      t2, REQ_SEG_BYTES(a0)
    mul     t2, a2, t1
    ld      t3, JOB_START(t0)
    add     t2, t2, t3
    srli    t2, t2, 9
    sd      t2, REQ_SECTOR(a0)
    ld      t3, JOB_GENERATION(t0)
    sw      t3, REQ_GENERATION(a0)
    ld      t3, JOB_DIGEST(t0)
    slli    t2, t2, 4
    or      t2, t2, a1
    xor     t3, t3, t2
    li      t2, DIGEST_MUL
    mul     t3, t3, t2
    srli    t2, t3, 32
    xor     t3, t3, t2
    sd      t3, JOB_DIGEST(t0)
    ret

# Makes request a0 a FLUSH.
request_set_flush:
    li      t0, BLK_T_FLUSH
    sw      t0, REQ_TYPE(a0)
    sw      zero, REQ_IOPRIO(a0)
    sw      zero, REQ_CHECK(a0)
    sd      zero, REQ_SECTOR(a0)
    sw      zero, REQ_BYTES(a0)
    sw      zero, REQ_SEGMENTS(a0)
    li      t0, NO_BLOCK
    sd      t0, REQ_BLOCK(a0)
    ret

# Answers a0 = 1 if the next request shall be a FLUSH: one follows every JOB_FLUSH others. It does not
# count as one of the phase and takes nothing from the random sequence.
flush_due:
    la      t0, job
    ld      t1, JOB_FLUSH(t0)
    beqz    t1, 1f
    la      t2, device
    ld      t2, DEV_FEATURES(t2)
    srli    t2, t2, BLK_F_FLUSH
    andi    t2, t2, 1
    beqz    t2, 1f
    ld      t2, JOB_SINCE_FLUSH(t0)
    addi    t3, t2, 1
    sd      t3, JOB_SINCE_FLUSH(t0)
    bltu    t2, t1, 1f
    sd      zero, JOB_SINCE_FLUSH(t0)
    li      a0, 1
    ret
1:  li      a0, 0
    ret

next_read:
    enter2
    mv      s0, a0
    call    next_block
    li      a1, BLK_T_IN
    bgez    a0, next_plain
    li      a0, NEXT_NONE
    leave2

next_write:
    enter2
    mv      s0, a0
    call    phase_over
    bnez    a0, 1f
    call    flush_due
    bnez    a0, 2f
    call    next_block
    bltz    a0, 1f
    mv      a2, a0
    li      a1, BLK_T_OUT
    call    plain_set
    mv      a0, s0
    call    request_fill
    li      a0, NEXT_READY
    leave2
1:  li      a0, NEXT_NONE
    leave2
2:  mv      a0, s0
    call    request_set_flush
    li      a0, NEXT_READY
    leave2

next_check:
    enter2
    mv      s0, a0
    call    next_block
    bltz    a0, 1f
    mv      a2, a0
    li      a1, BLK_T_IN
    call    plain_set
    li      t0, 1
    sw      t0, REQ_CHECK(s0)
    mv      a0, s0
    call    request_poison
    li      a0, NEXT_READY
    leave2
1:  li      a0, NEXT_NONE
    leave2

next_plain:
    mv      a2, a0
    call    plain_set
    li      a0, NEXT_READY
    leave2

# Makes request s0 one of type a1 for block a2.
plain_set:
    mv      a0, s0
    la      a3, job
    ld      a3, JOB_SEGMENTS(a3)
    j       request_set

# Reads and writes blocks at random. A read of a block written before must find that write.
next_mixed:
    enter8
    mv      s0, a0
    la      s1, job
    ld      t0, JOB_DRAWN(s1)
    bnez    t0, 3f
    call    phase_over
    li      t0, NEXT_NONE
    bnez    a0, 9f
    call    flush_due
    bnez    a0, 7f
    addi    a0, s1, JOB_STATE
    call    random
    ld      t0, JOB_BLOCKS(s1)
    mulhu   a0, a0, t0
    sd      a0, JOB_DRAWN_BLOCK(s1)
    addi    a0, s1, JOB_STATE
    call    random
    li      t0, 100
    mulhu   a0, a0, t0
    ld      t0, JOB_READS(s1)
    sltu    t0, a0, t0
    xori    t0, t0, 1           # BLK_T_IN is 0, BLK_T_OUT is 1
    sd      t0, JOB_DRAWN_TYPE(s1)
    li      t0, 1
    sd      t0, JOB_DRAWN(s1)

3:  ld      s2, JOB_DRAWN_BLOCK(s1)
    ld      s3, JOB_DRAWN_TYPE(s1)
    ld      s4, JOB_TABLE(s1)
    slli    t0, s2, 1
    add     s4, s4, t0
    lhu     s5, 0(s4)
    li      t0, TABLE_BUSY
    and     t1, s5, t0
    li      t2, NEXT_WAIT
    bnez    t1, 10f
    or      t1, s5, t0
    sh      t1, 0(s4)
    addi    a0, s1, JOB_STATE   # how many segments
    call    random
    ld      a3, JOB_SEGMENTS(s1)
    mulhu   a3, a0, a3
    addi    a3, a3, 1
    mv      a0, s0
    mv      a1, s3
    mv      a2, s2
    call    request_set
    bnez    s3, 4f
    beqz    s5, 8f              # not written before: nothing is known about its content
    mv      a0, s5
    call    mixed_generation
    li      t0, 1
    sw      t0, REQ_CHECK(s0)
    mv      a0, s0
    call    request_poison
    j       8f
4:  addi    a0, s5, 1
    li      t0, TABLE_GENERATION
    and     a0, a0, t0
    bnez    a0, 5f
    li      a0, 1
5:  call    mixed_generation
    mv      a0, s0
    call    request_fill
8:  sd      zero, JOB_DRAWN(s1)
    ld      t0, JOB_ISSUED(s1)
    addi    t0, t0, 1
    sd      t0, JOB_ISSUED(s1)
    li      t0, NEXT_READY
9:  mv      a0, t0
    leave8
7:  mv      a0, s0
    call    request_set_flush
    li      t0, NEXT_READY
    j       9b
10: mv      a0, t2
    leave8

# Gives request s0 the generation a0 of its block, apart from those of other loads. s1 = job.
mixed_generation:
    ld      t0, JOB_GENERATION(s1)
    slli    t0, t0, 16
    or      t0, t0, a0
    sw      t0, REQ_GENERATION(s0)
    ret

# After a mix: reads every block it wrote.
next_swept:
    enter8
    mv      s0, a0
    la      s1, job
    ld      s2, JOB_CURSOR(s1)
    ld      s3, JOB_BLOCKS(s1)
    ld      s4, JOB_TABLE(s1)
1:  bgeu    s2, s3, 9f
    slli    t0, s2, 1
    add     t0, t0, s4
    lhu     s5, 0(t0)
    addi    s2, s2, 1
    beqz    s5, 1b
    sd      s2, JOB_CURSOR(s1)
    li      t1, TABLE_BUSY
    or      t1, t1, s5
    sh      t1, 0(t0)
    li      a1, BLK_T_IN
    addi    a2, s2, -1
    call    plain_set
    mv      a0, s5
    call    mixed_generation
    li      t0, 1
    sw      t0, REQ_CHECK(s0)
    mv      a0, s0
    call    request_poison
    li      a0, NEXT_READY
    leave8
9:  sd      s2, JOB_CURSOR(s1)
    li      a0, NEXT_NONE
    leave8
