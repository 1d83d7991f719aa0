# Latencies: the number of completions by time in ticks. Up to 8 ticks each time has its own bucket;
# above, every power of two has eight, so a percentile is exact to one eighth.

.equ HISTOGRAM_BUCKETS, 512

histogram_clear:
    la      t0, histogram
    li      t1, HISTOGRAM_BUCKETS * 8
    add     t1, t1, t0
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b
    ret

# Counts a latency of a0 ticks.
histogram_add:
    la      t0, job
    ld      t1, JOB_LATENCY(t0)
    add     t1, t1, a0
    sd      t1, JOB_LATENCY(t0)
    ld      t1, JOB_WORST(t0)
    bleu    a0, t1, 1f
    sd      a0, JOB_WORST(t0)
1:  li      t1, 0               # bucket = 8 * shift + (ticks >> shift), with the latter below 16
    li      t2, 16
2:  bltu    a0, t2, 3f
    srli    a0, a0, 1
    addi    t1, t1, 8
    j       2b
3:  add     t1, t1, a0
    slli    t1, t1, 3
    la      t0, histogram
    add     t0, t0, t1
    ld      t1, 0(t0)
    addi    t1, t1, 1
    sd      t1, 0(t0)
    ret

# Answers a0 = the latency in ticks that a0 per thousand of the completions did not exceed: the upper
# edge of its bucket.
histogram_quantile:
    la      t0, job
    ld      t1, JOB_DONE(t0)
    ld      t2, JOB_FLUSHES(t0)
    add     t1, t1, t2
    beqz    t1, 5f
    mul     t1, t1, a0
    addi    t1, t1, 999
    li      t2, 1000
    divu    t1, t1, t2          # so many completions
    la      t2, histogram
    li      t3, 0
1:  ld      t4, 0(t2)
    bgeu    t4, t1, 2f
    sub     t1, t1, t4
    addi    t2, t2, 8
    addi    t3, t3, 1
    j       1b
2:  li      t4, 0               # shift
    li      t5, 16
3:  bltu    t3, t5, 4f
    addi    t3, t3, -8
    addi    t4, t4, 1
    j       3b
4:  addi    t3, t3, 1
    sll     a0, t3, t4
    addi    a0, a0, -1
    ld      t1, JOB_WORST(t0)
    bleu    a0, t1, 6f
    mv      a0, t1
6:  ret
5:  li      a0, 0
    ret

.bss
.balign 8
histogram:      .skip HISTOGRAM_BUCKETS * 8
.text
