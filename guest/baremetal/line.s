# A line of input, its words and numbers.

.equ LINE_SIZE, 256
.equ BACKSPACE, 8
.equ DELETE, 127
.equ CONTROL_U, 21

# Reads a line with echo into line_buffer. Ends at CR, LF or CR LF; backspace, Control-U (discard) and
# Control-C (start again) work. Answers a0 = 1 for a line, 0 for Control-C.
read_line:
    enter4
    la      s0, line_buffer
    li      s1, 0               # length
1:  call    getc
    la      t0, line_after_cr
    ld      t1, 0(t0)
    sd      zero, 0(t0)
    li      t2, '\n'
    bne     a0, t2, 2f
    bnez    t1, 1b              # the LF of CR LF
    j       7f
2:  li      t1, '\r'
    beq     a0, t1, 6f
    li      t1, CONTROL_C
    beq     a0, t1, 8f
    li      t1, CONTROL_U
    beq     a0, t1, 5f
    li      t1, BACKSPACE
    beq     a0, t1, 4f
    li      t1, DELETE
    beq     a0, t1, 4f
    li      t1, ' '
    bltu    a0, t1, 1b          # other control characters are ignored
    li      t1, LINE_SIZE - 1
    bgeu    s1, t1, 1b
    add     t1, s0, s1
    sb      a0, 0(t1)
    addi    s1, s1, 1
    call    putc
    j       1b
4:  beqz    s1, 1b
    addi    s1, s1, -1
    text    a0, "\b \b"
    call    puts
    j       1b
5:  beqz    s1, 1b
    addi    s1, s1, -1
    text    a0, "\b \b"
    call    puts
    j       5b
6:  li      t1, 1
    sd      t1, line_after_cr, t0
7:  add     t1, s0, s1
    sb      zero, 0(t1)
    sd      s0, line_cursor, t1
    li      a0, '\n'
    call    putc
    li      a0, 1
    leave4
8:  text    a0, "^C\n"
    call    puts
    li      a0, 0
    leave4

# Answers a0 = the next word of the line, or 0. Words are separated by spaces or '='.
next_word:
    ld      t0, line_cursor
    li      t2, ' '
    li      t3, '='
1:  lbu     t1, 0(t0)
    beqz    t1, 5f
    beq     t1, t2, 2f
    bne     t1, t3, 3f
2:  addi    t0, t0, 1
    j       1b
3:  mv      a0, t0
4:  addi    t0, t0, 1
    lbu     t1, 0(t0)
    beqz    t1, 6f
    beq     t1, t2, 7f
    bne     t1, t3, 4b
7:  sb      zero, 0(t0)
    addi    t0, t0, 1
6:  sd      t0, line_cursor, t1
    ret
5:  li      a0, 0
    ret

# Compares the strings a0 and a1. Answers a0 = 0 if they are equal.
strcmp:
1:  lbu     t0, 0(a0)
    lbu     t1, 0(a1)
    bne     t0, t1, 2f
    addi    a0, a0, 1
    addi    a1, a1, 1
    bnez    t0, 1b
2:  sub     a0, t0, t1
    ret

# Reads the number a0: decimal or 0x hexadecimal, with a suffix K, M or G (powers of 1024).
# Answers a0 = the value and a1 = 1, or a1 = 0 if it is none.
parse_number:
    li      t0, 0               # value
    li      t1, 10              # base
    li      a1, 0
    lbu     t2, 0(a0)
    li      t3, '0'
    bne     t2, t3, 1f
    lbu     t2, 1(a0)
    ori     t2, t2, 0x20
    li      t3, 'x'
    bne     t2, t3, 1f
    li      t1, 16
    addi    a0, a0, 2
1:  lbu     t2, 0(a0)
    beqz    t2, 4f
    ori     t3, t2, 0x20        # lower case
    addi    t4, t2, -'0'
    li      t5, 10
    bltu    t4, t5, 2f
    addi    t4, t3, -'a'
    li      t5, 6
    bgeu    t4, t5, 3f
    addi    t4, t4, 10
2:  bgeu    t4, t1, 3f
    mulhu   t5, t0, t1
    bnez    t5, 5f              # beyond 64 bits
    mul     t0, t0, t1
    add     t0, t0, t4
    bltu    t0, t4, 5f
    li      a1, 1
    addi    a0, a0, 1
    j       1b
3:  beqz    a1, 4f
    lbu     t2, 1(a0)
    bnez    t2, 5f              # the suffix is the last letter
    li      t2, 10
    li      t4, 'k'
    beq     t3, t4, 6f
    li      t2, 20
    li      t4, 'm'
    beq     t3, t4, 6f
    li      t2, 30
    li      t4, 'g'
    bne     t3, t4, 5f
6:  sll     t3, t0, t2
    srl     t4, t3, t2
    bne     t4, t0, 5f
    mv      t0, t3
4:  mv      a0, t0
    ret
5:  li      a1, 0
    ret

# Reads the next word as 'on' or 'off'. Answers a0 = 1, 0, or -1 if it is neither.
parse_switch:
    enter2
    call    next_word
    beqz    a0, 2f
    mv      s0, a0
    text    a1, "on"
    call    strcmp
    beqz    a0, 1f
    mv      a0, s0
    text    a1, "off"
    call    strcmp
    bnez    a0, 2f
    leave2
1:  li      a0, 1
    leave2
2:  li      a0, -1
    leave2

.bss
.balign 8
line_cursor:    .skip 8         # where the next word starts
line_after_cr:  .skip 8         # 1: the last character was a CR
line_buffer:    .skip LINE_SIZE
.text
