# Running a load: keep as many requests in flight as the job asks for, take completions, sleep when
# there is nothing else to do.

.equ FOREVER, -1

# Runs the job, whose parameters were checked, to its end.
engine_run:
    enter12
    la      s0, job
    la      s1, device
    ld      t0, DEV_KICKS(s1)
    sd      t0, JOB_KICKS(s0)
    ld      t0, DEV_INTERRUPTS(s1)
    sd      t0, JOB_INTERRUPTS(s0)
    call    histogram_clear
    rdtime  t0
    sd      t0, JOB_BEGAN(s0)
    sd      t0, JOB_COMPLETED(s0)
    ld      t1, timebase
    add     t2, t0, t1
    sd      t2, JOB_TICK(s0)
    ld      t2, JOB_SECONDS(s0)
    mul     t1, t1, t2
    add     t0, t0, t1
    bnez    t2, 1f
    li      t0, FOREVER
1:  sd      t0, JOB_DEADLINE(s0)
    ld      t0, JOB_FIRST(s0)
    ld      t1, JOB_COUNT(s0)

begin_phase:                    # t0 = its function, t1 = its number of requests
    sd      t0, JOB_NEXT(s0)
    sd      t1, JOB_LIMIT(s0)
    sd      zero, JOB_ISSUED(s0)
    sd      zero, JOB_ENDED(s0)
    sd      zero, JOB_SINCE_FLUSH(s0)
    ld      a0, JOB_SEED(s0)
    call    scramble
    bnez    a0, 1f
    li      a0, 1               # the one state xorshift never leaves
1:  sd      a0, JOB_STATE(s0)

round:
    rdtime  t0
    sd      t0, JOB_CLOCK(s0)
    call    engine_submit
    call    engine_drain
    mv      s2, a0
    call    engine_watch
    beqz    a0, 4f              # gave up
    ld      t0, JOB_IN_FLIGHT(s0)
    beqz    t0, 3f
    bnez    s2, round
    mv      a0, s3
    call    engine_sleep
    j       round

3:  ld      t0, JOB_ENDED(s0)
    beqz    t0, round
    ld      t0, JOB_HELD(s0)
    bnez    t0, round
    ld      t0, JOB_STOPPED(s0)
    bnez    t0, 4f
    ld      t0, JOB_SECOND(s0)
    beqz    t0, 4f
    sd      zero, JOB_SECOND(s0)
    li      t1, FOREVER
    sd      t1, JOB_DEADLINE(s0)
    ld      t1, JOB_ISSUED(s0)
    j       begin_phase
4:  leave12

# Prepares and submits requests until the depth is reached, the phase is over, the next one has to
# wait, or no descriptor is left. The device is told of each if it wants to be, so that one that sleeps
# begins while the others are prepared.
engine_submit:
    enter4
    la      s0, job
1:  ld      s1, JOB_HELD(s0)
    bnez    s1, 2f
    ld      t0, JOB_ENDED(s0)
    bnez    t0, 5f
    ld      s1, JOB_IDLE(s0)
    beqz    s1, 5f
    mv      a0, s1
    ld      t0, JOB_NEXT(s0)
    jalr    t0
    li      t0, NEXT_WAIT
    beq     a0, t0, 5f
    li      t0, NEXT_NONE
    beq     a0, t0, 4f
    ld      t0, REQ_LINK(s1)
    sd      t0, JOB_IDLE(s0)
    sd      s1, JOB_HELD(s0)

2:  ld      t0, JOB_QUEUE(s0)   # queues in turn
    li      a0, VQ_BYTES
    mul     a0, a0, t0
    la      t1, queues
    add     a0, a0, t1
    sd      a0, REQ_QUEUE(s1)
    mv      a1, s1
    ld      a2, JOB_CLOCK(s0)
    call    vq_add
    bnez    a0, 5f
    ld      a0, REQ_QUEUE(s1)
    call    vq_kick
    sd      zero, JOB_HELD(s0)
    ld      t0, JOB_QUEUE(s0)
    addi    t0, t0, 1
    la      t1, device
    ld      t1, DEV_QUEUES(t1)
    remu    t0, t0, t1
    sd      t0, JOB_QUEUE(s0)
    ld      t0, JOB_IN_FLIGHT(s0)
    addi    t0, t0, 1
    sd      t0, JOB_IN_FLIGHT(s0)
    ld      t1, JOB_MOST(s0)
    bleu    t0, t1, 1b
    sd      t0, JOB_MOST(s0)
    j       1b
4:  li      t0, 1
    sd      t0, JOB_ENDED(s0)
5:  leave4

# Takes the completions there are, and submits another request after each: the disk need not wait until
# all are taken. Answers a0 = how many there were; at most DRAIN_MOST, or a fast disk would keep the loop
# from its other duties.
.equ DRAIN_MOST, 256

engine_drain:
    enter8
    la      s0, job
    la      s1, queues
    la      t0, device
    ld      s2, DEV_QUEUES(t0)
    li      s3, 0
1:  li      t0, DRAIN_MOST
    bgeu    s3, t0, 4f
    mv      a0, s1
    call    vq_pop
    beqz    a0, 3f
    addi    s3, s3, 1
    bltz    a0, 2f
    call    request_complete
    call    engine_submit
    j       1b
2:  mv      a0, a1
    call    completion_unknown
    j       1b
3:  addi    s1, s1, VQ_BYTES
    addi    s2, s2, -1
    bnez    s2, 1b
    beqz    s3, 5f
4:  rdtime  t0
    sd      t0, JOB_COMPLETED(s0)
5:  mv      a0, s3
    leave8

# Looks after the device, keys, progress lines and lost requests. Answers a0 = 0 to give the job up, and s3 = the
# time at which to look again.
engine_watch:
    enter2
    la      s0, job
    rdtime  s1
    call    report_changes
    bnez    a0, 7f
    la      t0, input_break
    ld      t1, 0(t0)
    beqz    t1, 1f
    sd      zero, 0(t0)
    li      t1, 1
    sd      t1, JOB_STOPPED(s0)
    sd      t1, JOB_ENDED(s0)
1:  li      s3, FOREVER
    ld      t0, JOB_ENDLESS(s0)
    beqz    t0, 4f
    ld      s3, JOB_TICK(s0)
    bltu    s1, s3, 2f
    call    report_progress
    ld      t0, timebase
    ld      s3, JOB_TICK(s0)
    add     s3, s3, t0
    sd      s3, JOB_TICK(s0)
2:  ld      t0, JOB_ENDED(s0)
    bnez    t0, 4f
    call    input_ready
    beqz    a0, 4f
    call    getc                # the key is taken
    li      t0, 1
    sd      t0, JOB_ENDED(s0)

4:  ld      t0, JOB_IN_FLIGHT(s0)
    beqz    t0, 6f
    ld      t0, JOB_TIMEOUT(s0)
    beqz    t0, 6f
    ld      t1, timebase
    mul     t0, t0, t1
    ld      t1, JOB_COMPLETED(s0)
    add     t1, t1, t0
    bgeu    s1, t1, 7f
    bgeu    t1, s3, 6f
    mv      s3, t1
6:  li      a0, 1
    leave2
7:  call    report_lost
    call    device_start        # takes back what the device still has
    li      a0, 0
    leave2

# Waits for a completion until time a0 (FOREVER: without limit).
engine_sleep:
    enter0
    li      t0, FOREVER
    bne     a0, t0, 1f
    li      a0, 0
1:  call    wait_for_used
    leave0
