# What a completion must look like. Every request is completed exactly once, with status 0, the right
# length, and, where it is checked, the right data; anything else is an error of the disk or its device.

.equ MAX_ERROR_LINES, 10        # per load; all are counted

# Takes back request a0, which the device completed with length a1.
request_complete:
    enter8
    mv      s0, a0
    mv      s1, a1
    la      s2, job
    ld      t0, JOB_IN_FLIGHT(s2)
    addi    t0, t0, -1
    sd      t0, JOB_IN_FLIGHT(s2)
    rdtime  a0                  # also the time at which what takes its place is submitted
    sd      a0, JOB_CLOCK(s2)
    ld      t0, REQ_STARTED(s0)
    sub     a0, a0, t0
    call    histogram_add
    li      s3, 0               # 1: failed

    lwu     t0, REQ_TYPE(s0)
    li      t1, BLK_T_FLUSH
    beq     t0, t1, 1f
    ld      t1, JOB_DONE(s2)
    addi    t1, t1, 1
    sd      t1, JOB_DONE(s2)
    j       2f
1:  ld      t1, JOB_FLUSHES(s2)
    addi    t1, t1, 1
    sd      t1, JOB_FLUSHES(s2)

2:  lbu     a2, REQ_STATUS(s0)
    text    a1, "status"
    bnez    a2, 6f
    lwu     t1, REQ_BYTES(s0)
    lwu     t0, REQ_TYPE(s0)
    li      t2, 1               # bytes the device wrote: the status, and the data of a read
    bnez    t0, 3f
    addi    t2, t1, 1
3:  ld      t0, JOB_BYTES(s2)
    add     t0, t0, t1
    sd      t0, JOB_BYTES(s2)
    mv      a2, s1
    text    a1, "length"
    bne     s1, t2, 6f
    lw      t0, REQ_CHECK(s0)
    beqz    t0, 7f
    mv      a0, s0
    call    request_check
    beqz    a0, 7f
    mv      s4, a1
    mv      s5, a2
    mv      s6, a3
    call    data_error_name
    mv      a1, a0
    mv      a2, s4
    mv      a3, s5
    mv      a4, s6
    mv      a0, s0
    call    report_data_error
    j       60f
6:  mv      a0, s0
    call    report_error
60: li      s3, 1

7:  ld      t0, JOB_TABLE(s2)
    beqz    t0, 9f
    ld      t1, REQ_BLOCK(s0)
    bltz    t1, 9f
    slli    t1, t1, 1
    add     t0, t0, t1
    lhu     t1, 0(t0)
    li      t2, TABLE_GENERATION
    and     t1, t1, t2
    lw      t3, REQ_TYPE(s0)
    beqz    t3, 8f
    lwu     t1, REQ_GENERATION(s0)
    and     t1, t1, t2
    beqz    s3, 8f
    li      t1, 0               # after a failed write nothing is known
8:  sh      t1, 0(t0)
9:  ld      t0, JOB_IDLE(s2)
    sd      t0, REQ_LINK(s0)
    sd      s0, JOB_IDLE(s2)
    leave8

# Answers a0 = the name of the kind a0 of wrong data.
data_error_name:
    mv      t0, a0
    text    a0, "stale"
    li      t1, DATA_STALE
    beq     t0, t1, 1f
    text    a0, "misplaced"
    li      t1, DATA_MISPLACED
    beq     t0, t1, 1f
    text    a0, "overrun"
    li      t1, DATA_OVERRUN
    beq     t0, t1, 1f
    text    a0, "corrupt"
1:  ret

# A completion of id a0, under which nothing is in flight: completed twice, or never asked for.
completion_unknown:
    enter2
    mv      s0, a0
    la      t0, device
    ld      t1, DEV_UNKNOWN(t0)
    addi    t1, t1, 1
    sd      t1, DEV_UNKNOWN(t0)
    call    count_error
    beqz    a0, 1f
    mv      a1, s0
    print   "error kind=unknown id=%u\n"
1:  leave2

# Counts an error. Answers a0 = 1 if it deserves a line.
count_error:
    la      t0, job
    ld      t1, JOB_ERRORS(t0)
    addi    t1, t1, 1
    sd      t1, JOB_ERRORS(t0)
    sltiu   a0, t1, MAX_ERROR_LINES + 1
    ret

# Reports request a0: a1 = kind, a2 = the status or length found.
report_error:
    enter4
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    call    count_error
    beqz    a0, 1f
    mv      a1, s1
    lwu     a2, REQ_TYPE(s0)
    ld      a3, REQ_SECTOR(s0)
    lwu     a4, REQ_BYTES(s0)
    mv      a5, s2
    print   "error kind=%s type=%u sector=%u bytes=%u found=%u\n"
1:  leave4

# Reports wrong data read by request a0: a1 = kind, a2 = sector, a3 = the sector and a4 = the word 1
# found there.
report_data_error:
    enter8
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
    call    count_error
    beqz    a0, 1f
    mv      a0, s0
    call    pattern_word
    mv      a3, a0
    mv      a1, s1
    mv      a2, s2
    mv      a4, s3
    mv      a5, s4
    print   "error kind=%s sector=%u expected=0x%x found_sector=%u found=0x%x\n"
1:  leave8
