# An interpreter of a small stack machine: loads, indirect jumps, little arithmetic, as interpreters are.
#
# An operation is one byte; PUSH and the jump have an operand byte. Locals: 0 = counter, 1 = sum.

.macro operation name
    .word   \name - operations
.endm

.section .rodata
.balign 8
operations:
    operation op_push           # 0 n: push n
    operation op_load           # 1 l: push local l
    operation op_store          # 2 l: pop into local l
    operation op_add            # 3:   push the sum of two
    operation op_mul            # 4:   push the product of two
    operation op_sub            # 5:   push the second minus the top
    operation op_loop           # 6 d: pop; go back d bytes unless it was 0
    operation op_halt           # 7
program:                        # sum = sum * 31 + counter; counter = counter - 1; until it is 0
    .byte   1, 1, 0, 31, 4, 1, 0, 3, 2, 1
    .byte   1, 0, 0, 1, 5, 2, 0
    .byte   1, 0, 6, 21
    .byte   7
.text

# Runs the program with a counter of a0. Answers a0 = 1 if it finds what plain code finds.
cpu_bytecode:
    enter4
    mv      s0, a0
    la      t0, locals
    sd      a0, 0(t0)
    sd      zero, 8(t0)
    call    interpret
    li      t0, 0
    li      t1, 31
1:  mul     t0, t0, t1
    add     t0, t0, s0
    addi    s0, s0, -1
    bnez    s0, 1b
    la      t1, locals
    ld      t1, 8(t1)
    sub     t0, t0, t1
    seqz    a0, t0
    leave4

# a1 = program counter, a2 = stack pointer (grows upwards), a3 = operations, a4 = locals.
interpret:
    la      a1, program
    la      a2, operands
    la      a3, operations
    la      a4, locals
dispatch:
    lbu     t0, 0(a1)
    addi    a1, a1, 1
    slli    t0, t0, 2
    add     t0, t0, a3
    lw      t0, 0(t0)
    add     t0, t0, a3
    jr      t0

op_push:
    lbu     t0, 0(a1)
    addi    a1, a1, 1
    sd      t0, 0(a2)
    addi    a2, a2, 8
    j       dispatch
op_load:
    lbu     t0, 0(a1)
    addi    a1, a1, 1
    slli    t0, t0, 3
    add     t0, t0, a4
    ld      t0, 0(t0)
    sd      t0, 0(a2)
    addi    a2, a2, 8
    j       dispatch
op_store:
    lbu     t0, 0(a1)
    addi    a1, a1, 1
    slli    t0, t0, 3
    add     t0, t0, a4
    addi    a2, a2, -8
    ld      t1, 0(a2)
    sd      t1, 0(t0)
    j       dispatch
op_add:
    ld      t0, -8(a2)
    ld      t1, -16(a2)
    addi    a2, a2, -8
    add     t0, t0, t1
    sd      t0, -8(a2)
    j       dispatch
op_mul:
    ld      t0, -8(a2)
    ld      t1, -16(a2)
    addi    a2, a2, -8
    mul     t0, t0, t1
    sd      t0, -8(a2)
    j       dispatch
op_sub:
    ld      t0, -8(a2)
    ld      t1, -16(a2)
    addi    a2, a2, -8
    sub     t0, t1, t0
    sd      t0, -8(a2)
    j       dispatch
op_loop:
    lbu     t0, 0(a1)
    addi    a1, a1, 1
    addi    a2, a2, -8
    ld      t1, 0(a2)
    beqz    t1, dispatch
    sub     a1, a1, t0
    j       dispatch
op_halt:
    ret

.bss
.balign 8
locals:         .skip 2 * 8
operands:       .skip 8 * 8
.text
