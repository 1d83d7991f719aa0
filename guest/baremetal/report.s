# Result lines: words 'key=value', one line per load, for people and for programs.

# Answers a0 = a0 ticks in microseconds.
ticks_to_us:
    li      t0, 1000000
    mul     a0, a0, t0
    ld      t0, timebase
    divu    a0, a0, t0
    ret

# Answers a0 = a0 per second, over a1 microseconds.
per_second:
    li      t0, 1000000
    mul     a0, a0, t0
    bnez    a1, 1f
    li      a1, 1
1:  divu    a0, a0, a1
    ret

# The result of the job, whose last completion was the end.
report_result:
    enter8
    la      s0, job
    ld      a0, JOB_COMPLETED(s0)
    ld      t0, JOB_BEGAN(s0)
    sub     a0, a0, t0
    call    ticks_to_us
    mv      s1, a0
    text    a2, "seq"
    ld      t0, JOB_RANDOM(s0)
    beqz    t0, 1f
    text    a2, "rand"
1:  ld      a1, JOB_NAME(s0)
    ld      a3, JOB_BLOCK_BYTES(s0)
    ld      a4, JOB_DEPTH(s0)
    ld      a5, JOB_SEGMENTS(s0)
    ld      a6, JOB_SEED(s0)
    ld      a7, JOB_GENERATION(s0)
    print   "result op=%s pattern=%s bs=%u qd=%u segs=%u seed=%u gen=%u"
    ld      a1, JOB_DONE(s0)
    ld      a2, JOB_FLUSHES(s0)
    ld      a3, JOB_ERRORS(s0)
    ld      a4, JOB_LOST(s0)
    mv      a5, s1
    print   " count=%u flushes=%u errors=%u lost=%u us=%u"
    ld      a0, JOB_DONE(s0)
    mv      a1, s1
    call    per_second
    mv      s2, a0
    ld      a0, JOB_BYTES(s0)
    srli    a0, a0, 10
    mv      a1, s1
    call    per_second
    mv      a2, a0
    mv      a1, s2
    ld      a3, JOB_MOST(s0)
    la      t0, device
    ld      a4, DEV_KICKS(t0)
    ld      t1, JOB_KICKS(s0)
    sub     a4, a4, t1
    ld      a5, DEV_INTERRUPTS(t0)
    ld      t1, JOB_INTERRUPTS(s0)
    sub     a5, a5, t1
    print   " iops=%u kib_s=%u inflight_max=%u kicks=%u irqs=%u"
    li      a0, 500
    call    quantile_us
    mv      s2, a0
    li      a0, 990
    call    quantile_us
    mv      s3, a0
    ld      a0, JOB_WORST(s0)
    call    ticks_to_us
    mv      a3, a0
    mv      a1, s2
    mv      a2, s3
    ld      a4, JOB_DIGEST(s0)
    print   " p50_us=%u p99_us=%u max_us=%u digest=%x\n"
    leave8

# Answers a0 = the quantile a0 (per thousand) of the latencies, in microseconds.
quantile_us:
    enter0
    call    histogram_quantile
    call    ticks_to_us
    leave0

# What an endless load has done so far, and how fast it was since the last line.
report_progress:
    enter4
    la      s0, job
    rdtime  a0
    ld      t0, JOB_BEGAN(s0)
    sub     a0, a0, t0
    call    ticks_to_us
    li      t0, 1000000
    divu    a1, a0, t0
    ld      a2, JOB_DONE(s0)
    ld      a3, JOB_ERRORS(s0)
    ld      t0, JOB_TICK_DONE(s0)
    sd      a2, JOB_TICK_DONE(s0)
    sub     a4, a2, t0          # lines are a second apart
    ld      a5, JOB_IN_FLIGHT(s0)
    print   "progress t=%u ops=%u errors=%u iops=%u inflight=%u\n"
    leave4

# Every request in flight is lost: says which.
report_lost:
    enter8
    la      s0, job
    ld      s1, JOB_REQUESTS(s0)
    ld      s2, JOB_DEPTH(s0)
    ld      t0, JOB_IN_FLIGHT(s0)
    sd      t0, JOB_LOST(s0)
1:  lw      t0, REQ_IN_FLIGHT(s1)
    beqz    t0, 2f
    call    count_error
    beqz    a0, 2f
    lwu     a1, REQ_TYPE(s1)
    ld      a2, REQ_SECTOR(s1)
    rdtime  a0
    ld      t0, REQ_STARTED(s1)
    sub     a0, a0, t0
    call    ticks_to_us
    mv      a3, a0
    print   "error kind=lost type=%u sector=%u age_us=%u\n"
2:  addi    s1, s1, REQ_SIZE
    addi    s2, s2, -1
    bnez    s2, 1b
    leave8
