# The pseudo-random sequence of a load: xorshift64*, started from a scrambled seed so that neighbouring
# seeds (and 0) give unrelated sequences.

.equ SPLITMIX_STEP, 0x9e3779b97f4a7c15
.equ SPLITMIX_MUL1, 0xbf58476d1ce4e5b9
.equ SPLITMIX_MUL2, 0x94d049bb133111eb
.equ XORSHIFT_MUL, 0x2545f4914f6cdd1d

# Answers a0 = a number that depends on every bit of a0 (the splitmix64 finaliser).
scramble:
    li      t0, SPLITMIX_STEP
    add     a0, a0, t0
    srli    t1, a0, 30
    xor     a0, a0, t1
    li      t0, SPLITMIX_MUL1
    mul     a0, a0, t0
    srli    t1, a0, 27
    xor     a0, a0, t1
    li      t0, SPLITMIX_MUL2
    mul     a0, a0, t0
    srli    t1, a0, 31
    xor     a0, a0, t1
    ret

# Answers a0 = the next number of the sequence whose state is at a0.
random:
    ld      t0, 0(a0)
    srli    t1, t0, 12
    xor     t0, t0, t1
    slli    t1, t0, 25
    xor     t0, t0, t1
    srli    t1, t0, 27
    xor     t0, t0, t1
    sd      t0, 0(a0)
    li      t1, XORSHIFT_MUL
    mul     a0, t0, t1
    ret
