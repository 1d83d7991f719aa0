# Kernels that use the processor alone, each with an answer that is checked: 'cpu KERNEL [ROUNDS]'.

.macro kernel name, function, rounds
    .word   \function - kernels
    .word   \rounds
    .asciz  "\name"          # up to 7 letters
    .balign 16
.endm

.section .rodata
.balign 16
kernels:
    kernel  "sieve", cpu_sieve, 100
    kernel  "interp", cpu_bytecode, 500000
    kernel  "sha256", cpu_sha256, 10000
kernels_end:
.text

# Runs the kernel named on the line, or all.
command_cpu:
    enter8
    call    next_word
    mv      s0, a0              # the kernel, or 0 for all
    call    next_number
    neg     t0, a1
    and     s1, a0, t0          # the rounds, or 0 for the default
    li      s3, 0               # how many kernels were run
    la      s2, kernels
1:  beqz    s0, 2f
    mv      a0, s0
    addi    a1, s2, 8
    call    strcmp
    bnez    a0, 3f
2:  mv      a0, s2
    mv      a1, s1
    call    kernel_run
    addi    s3, s3, 1
3:  addi    s2, s2, 16
    la      t0, kernels_end
    bltu    s2, t0, 1b
    text    a0, "the kernels are sieve, interp and sha256"
    beqz    s3, say_error
    leave8

# Runs kernel a0 for a1 rounds (0: its default) and prints its result line.
kernel_run:
    enter8
    mv      s0, a0
    mv      s1, a1
    bnez    a1, 1f
    lwu     s1, 4(s0)
1:  ld      t0, heap_mark
    bnez    t0, 2f
    ld      t0, heap_start
2:  sd      t0, heap_next, t1
    call    instructions
    mv      s2, a0
    rdtime  s3
    lw      t0, 0(s0)
    la      t1, kernels
    add     t0, t0, t1
    mv      a0, s1
    jalr    t0
    mv      s4, a0
    rdtime  a0
    sub     a0, a0, s3
    call    ticks_to_us
    mv      s3, a0
    call    instructions
    sub     a4, a0, s2
    addi    a1, s0, 8
    mv      a2, s1
    mv      a3, s3
    text    a5, "failed"
    beqz    s4, 3f
    text    a5, "ok"
3:  print   "result op=cpu kernel=%s rounds=%u us=%u instructions=%u check=%s\n"
    leave8

# Answers a0 = the instructions retired so far, or 0 where a firmware does not let us count them.
instructions:
    la      t0, 1f
    sd      t0, fault_resume, t1
    li      a0, 0
    rdinstret a0
1:  sd      zero, fault_resume, t1
    ret
