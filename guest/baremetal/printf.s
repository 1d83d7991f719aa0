# Formatted output.

# a0 = format, a1..a7 = arguments: %s string, %c character, %u unsigned, %d signed, %x hexadecimal.
printf:
    addi    sp, sp, -96
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    sd      a1, 40(sp)
    sd      a2, 48(sp)
    sd      a3, 56(sp)
    sd      a4, 64(sp)
    sd      a5, 72(sp)
    sd      a6, 80(sp)
    sd      a7, 88(sp)
    mv      s0, a0
    addi    s1, sp, 40          # the next argument
1:  lbu     a0, 0(s0)
    addi    s0, s0, 1
    beqz    a0, 9f
    li      t0, '%'
    beq     a0, t0, 2f
    call    putc
    j       1b
2:  lbu     t1, 0(s0)
    addi    s0, s0, 1
    ld      a0, 0(s1)
    addi    s1, s1, 8
    li      t0, 's'
    beq     t1, t0, 3f
    li      t0, 'u'
    beq     t1, t0, 4f
    li      t0, 'd'
    beq     t1, t0, 5f
    li      t0, 'x'
    beq     t1, t0, 6f
    call    putc                # %c
    j       1b
3:  call    puts
    j       1b
4:  li      a1, 10
    call    put_number
    j       1b
5:  bgez    a0, 4b
    neg     a0, a0
    sd      a0, -8(s1)
    li      a0, '-'
    call    putc
    ld      a0, -8(s1)
    j       4b
6:  li      a1, 16
    call    put_number
    j       1b
9:  ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    addi    sp, sp, 96
    ret

# Sends the string a0.
puts:
    enter2
    mv      s0, a0
1:  lbu     a0, 0(s0)
    beqz    a0, 2f
    call    putc
    addi    s0, s0, 1
    j       1b
2:  leave2

# Sends the unsigned number a0 in base a1 (up to 16), at most 20 digits.
put_number:
    addi    sp, sp, -48
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    addi    s0, sp, 47
    sb      zero, 0(s0)
1:  remu    t0, a0, a1
    divu    a0, a0, a1
    li      t1, 10
    bltu    t0, t1, 2f
    addi    t0, t0, 'a' - '0' - 10
2:  addi    t0, t0, '0'
    addi    s0, s0, -1
    sb      t0, 0(s0)
    bnez    a0, 1b
    mv      a0, s0
    call    puts
    ld      ra, 0(sp)
    ld      s0, 8(sp)
    addi    sp, sp, 48
    ret
