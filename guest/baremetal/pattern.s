# What is written to the disk: every sector tells where it belongs and which write made it, and its
# other words follow from that, so that a check can tell a lost write (an older generation) from a
# misplaced one (another sector) and from garbage.
#
#   word 0      the sector number
#   word 1      generation << 32 | low half of the seed
#   word 2      "QCONTEXT"
#   word 3..63  a linear congruential sequence started from words 0 and 1

.equ PATTERN_MAGIC, 0x545845544e4f4351
.equ PATTERN_MAGIC_AT, 16
.equ LCG_MUL, 6364136223846793005
.equ LCG_ADD, 1442695040888963407

.equ CANARY, 0xc5c5c5c55c5c5c5c # fills segments and the gaps behind them before a read

# Kinds of wrong data, in the order of what is said about them.
.equ DATA_OK, 0
.equ DATA_STALE, 1              # our pattern for this sector, of another write
.equ DATA_MISPLACED, 2          # our pattern, of another sector
.equ DATA_CORRUPT, 3            # not our pattern, or damaged
.equ DATA_OVERRUN, 4            # the device wrote behind a segment

# Fills a1 bytes at a0 for the sectors from a2 on; a3 = word 1.
pattern_fill:
    li      t3, LCG_MUL
    li      t4, LCG_ADD
    li      t5, PATTERN_MAGIC
    add     a1, a1, a0
1:  sd      a2, 0(a0)
    sd      a3, 8(a0)
    sd      t5, 16(a0)
    mul     t0, a2, t3
    xor     t0, t0, a3
    addi    t1, a0, 24
    addi    a0, a0, SECTOR_SIZE
2:  mul     t0, t0, t3
    add     t0, t0, t4
    sd      t0, 0(t1)
    addi    t1, t1, 8
    bltu    t1, a0, 2b
    addi    a2, a2, 1
    bltu    a0, a1, 1b
    li      a0, DATA_OK
    ret

# Checks a1 bytes at a0 against the pattern for the sectors from a2 on; a3 = word 1.
# Answers a0 = DATA_OK, or the kind of damage, a1 = the sector, a2 = the sector and a3 = the word 1 found.
pattern_check:
    li      t3, LCG_MUL
    li      t4, LCG_ADD
    li      t5, PATTERN_MAGIC
    add     a1, a1, a0
1:  mv      t6, a0
    ld      t0, 0(a0)
    bne     t0, a2, 4f
    ld      t0, 8(a0)
    bne     t0, a3, 4f
    ld      t0, 16(a0)
    bne     t0, t5, 4f
    mul     t0, a2, t3
    xor     t0, t0, a3
    addi    t1, a0, 24
    addi    a0, a0, SECTOR_SIZE
2:  mul     t0, t0, t3
    add     t0, t0, t4
    ld      t2, 0(t1)
    bne     t0, t2, 4f
    addi    t1, t1, 8
    bltu    t1, a0, 2b
    addi    a2, a2, 1
    bltu    a0, a1, 1b
    li      a0, DATA_OK
    ret
4:  mv      a1, a2
    ld      a2, 0(t6)
    ld      t0, 8(t6)
    ld      t1, 16(t6)
    li      a0, DATA_CORRUPT
    bne     t1, t5, 6f
    li      a0, DATA_MISPLACED
    bne     a2, a1, 6f
    li      a0, DATA_STALE
    bne     t0, a3, 6f
    li      a0, DATA_CORRUPT
6:  mv      a3, t0
    ret

# Answers a0 = word 1 of request a0: its generation and the seed of the load.
pattern_word:
    lwu     t0, REQ_GENERATION(a0)
    slli    t0, t0, 32
    la      t1, job
    lwu     t1, JOB_SEED(t1)
    or      a0, t0, t1
    ret

# Fills the segments of request a0 with the pattern.
request_fill:
    la      a1, pattern_fill
    j       each_segment

# Fills the segments of request a0, and the gaps behind them, with what no check accepts.
request_poison:
    la      a1, segment_poison
    j       each_segment

# Checks the segments of request a0, and the gaps behind them. Answers as pattern_check does.
request_check:
    la      a1, segment_check

# Calls the function a1 with (address, bytes, sector, word 1) of each segment of request a0, until it
# answers other than 0. Answers what it answered.
each_segment:
    enter8
    mv      s0, a0
    mv      s4, a1
    call    pattern_word
    mv      s5, a0
    ld      s1, REQ_BUFFER(s0)
    ld      s2, REQ_SECTOR(s0)
    lwu     s3, REQ_BYTES(s0)   # left
    lwu     s6, REQ_SEG_BYTES(s0)
    lwu     s7, REQ_SEGMENTS(s0)
1:  li      t0, 1
    bne     s7, t0, 2f
    mv      s6, s3
2:  mv      a0, s1
    mv      a1, s6
    mv      a2, s2
    mv      a3, s5
    jalr    s4
    bnez    a0, 3f
    add     s1, s1, s6
    addi    s1, s1, SEGMENT_GAP
    srli    t0, s6, 9
    add     s2, s2, t0
    sub     s3, s3, s6
    addi    s7, s7, -1
    bnez    s7, 1b
3:  leave8

segment_poison:
    li      t0, CANARY
    add     a1, a1, a0
    addi    a1, a1, SEGMENT_GAP
1:  sd      t0, 0(a0)
    sd      t0, 8(a0)
    sd      t0, 16(a0)
    sd      t0, 24(a0)
    addi    a0, a0, 32
    bltu    a0, a1, 1b
    li      a0, 0
    ret

segment_check:
    enter2
    add     s0, a0, a1          # the gap
    mv      s1, a2
    call    pattern_check
    bnez    a0, 3f
    li      t0, CANARY
    addi    t1, s0, SEGMENT_GAP
1:  ld      t2, 0(s0)
    bne     t2, t0, 2f
    addi    s0, s0, 8
    bltu    s0, t1, 1b
    leave2
2:  li      a0, DATA_OVERRUN
    mv      a1, s1
    mv      a2, s1
    mv      a3, t2
3:  leave2
