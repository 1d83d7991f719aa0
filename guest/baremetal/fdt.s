# The flattened device tree: where RAM ends, and how fast time runs. All its numbers are big-endian.

.equ FDT_MAGIC, 0xd00dfeed
.equ FDT_OFF_STRUCT, 8
.equ FDT_OFF_STRINGS, 12
.equ FDT_BEGIN_NODE, 1
.equ FDT_END_NODE, 2
.equ FDT_PROP, 3
.equ FDT_NOP, 4

# Reads the tree at a0, if there is one; else the defaults of the board hold.
fdt_read:
    enter8
    mv      s0, a0
    li      t0, DEFAULT_TIMEBASE
    sd      t0, timebase, t1
    li      t0, DEFAULT_RAM_END
    sd      t0, ram_end, t1
    beqz    s0, done
    call    be32
    li      t0, FDT_MAGIC
    bne     a0, t0, done
    sd      s0, fdt_address, t0
    addi    a0, s0, FDT_OFF_STRUCT
    call    be32
    add     s1, s0, a0          # the next token
    addi    a0, s0, FDT_OFF_STRINGS
    call    be32
    add     s2, s0, a0          # the property names
    li      s3, 0               # 1: inside the memory node

token:
    mv      a0, s1
    call    be32
    addi    s1, s1, 4
    li      t0, FDT_BEGIN_NODE
    beq     a0, t0, begin_node
    li      t0, FDT_PROP
    beq     a0, t0, property
    li      s3, 0
    li      t0, FDT_END_NODE
    beq     a0, t0, token
    li      t0, FDT_NOP
    beq     a0, t0, token
done:
    leave8

# The node's name decides whether it is the memory node: 'memory@…' or 'memory'.
begin_node:
    text    t0, "memory"
    mv      t1, s1
1:  lbu     t2, 0(t0)
    beqz    t2, 2f
    lbu     t3, 0(t1)
    addi    t0, t0, 1
    addi    t1, t1, 1
    beq     t2, t3, 1b
2:  seqz    s3, t2
3:  lbu     t2, 0(s1)           # skip the name, its zero, and up to the next multiple of four
    addi    s1, s1, 1
    bnez    t2, 3b
    addi    s1, s1, 3
    andi    s1, s1, -4
    j       token

property:
    mv      a0, s1
    call    be32
    mv      s4, a0              # length
    addi    a0, s1, 4
    call    be32
    add     s5, s2, a0          # name
    addi    s6, s1, 8           # value
    add     s1, s6, s4
    addi    s1, s1, 3
    andi    s1, s1, -4
    mv      a0, s5
    text    a1, "timebase-frequency"
    call    strcmp
    bnez    a0, 1f
    mv      a0, s6
    call    be32
    sd      a0, timebase, t0
1:  beqz    s3, token
    mv      a0, s5
    text    a1, "reg"
    call    strcmp
    bnez    a0, token
    mv      a0, s6              # two cells of address, two of size
    call    be64
    mv      s4, a0
    addi    a0, s6, 8
    call    be64
    add     a0, a0, s4
    sd      a0, ram_end, t0
    sd      s4, ram_base, t0
    j       token

# Answers a0 = the big-endian number of 4 bytes at a0.
be32:
    lbu     t0, 0(a0)
    lbu     t1, 1(a0)
    lbu     t2, 2(a0)
    lbu     t3, 3(a0)
    slli    t0, t0, 24
    slli    t1, t1, 16
    slli    t2, t2, 8
    or      t0, t0, t1
    or      t2, t2, t3
    or      a0, t0, t2
    ret

# Answers a0 = the big-endian number of 8 bytes at a0.
be64:
    enter2
    mv      s0, a0
    call    be32
    slli    s1, a0, 32
    addi    a0, s0, 4
    call    be32
    or      a0, a0, s1
    leave2

.bss
.balign 8
fdt_address:    .skip 8         # 0: none was given
timebase:       .skip 8         # ticks of the time CSR per second
ram_base:       .skip 8
ram_end:        .skip 8
.text
