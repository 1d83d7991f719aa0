# The sieve of Eratosthenes: byte stores with growing strides, then a scan.

.equ SIEVE_SIZE, 1 << 16
.equ SIEVE_PRIMES, 6542         # below SIEVE_SIZE

# Counts the primes a0 times. Answers a0 = 1 if the count was right each time.
cpu_sieve:
    enter4
    mv      s0, a0
    li      s1, 1
    li      a0, SIEVE_SIZE
    call    heap_alloc
    beqz    a0, 8f
    mv      s2, a0
1:  call    sieve_once
    li      t0, SIEVE_PRIMES
    beq     a0, t0, 2f
    li      s1, 0
2:  addi    s0, s0, -1
    bnez    s0, 1b
    mv      a0, s1
    leave4
8:  li      a0, 0
    leave4

# s2 = room for SIEVE_SIZE marks. Answers a0 = the number of primes.
sieve_once:
    li      t5, SIEVE_SIZE
    add     t6, s2, t5
    mv      t0, s2
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t6, 1b
    li      a0, 0
    li      t0, 2               # the candidate
    li      t3, 1               # marks 'composite'
2:  add     t1, s2, t0
    lbu     t2, 0(t1)
    bnez    t2, 4f
    addi    a0, a0, 1
    mul     t1, t0, t0
    bgeu    t1, t5, 4f
    add     t1, t1, s2
3:  sb      t3, 0(t1)
    add     t1, t1, t0
    bltu    t1, t6, 3b
4:  addi    t0, t0, 1
    bltu    t0, t5, 2b
    ret
