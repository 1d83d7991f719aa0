# Memory for rings and buffers: from the end of the program to the end of RAM, given out upwards.
# Starting a device takes everything back; each load takes back what the last one had.

heap_init:
    la      t0, _end
    li      t1, 4095
    add     t0, t0, t1
    not     t1, t1
    and     t0, t0, t1
    sd      t0, heap_start, t1
    sd      t0, heap_next, t1
    ret

# Answers a0 = a0 bytes of memory, zeroed, aligned to 64 bytes, or 0 if RAM is too small.
heap_alloc:
    addi    a0, a0, 63
    andi    a0, a0, -64
    ld      t0, heap_next
    ld      t1, ram_end
    sub     t1, t1, t0
    bltu    t1, a0, 2f
    add     t1, t0, a0
    sd      t1, heap_next, t2
    mv      a0, t0
1:  bgeu    t0, t1, 3f
    sd      zero, 0(t0)
    sd      zero, 8(t0)
    sd      zero, 16(t0)
    sd      zero, 24(t0)
    addi    t0, t0, 32
    j       1b
2:  li      a0, 0
3:  ret

# Answers a0 = bytes of RAM not in use.
heap_free_bytes:
    ld      t0, heap_next
    ld      a0, ram_end
    sub     a0, a0, t0
    ret

.bss
.balign 8
heap_start:     .skip 8
heap_next:      .skip 8         # the first free byte
heap_mark:      .skip 8         # heap_next after the device's rings
.text
