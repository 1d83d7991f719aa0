# The platform-level interrupt controller. On this board hart h has two contexts: 2h takes M-mode
# interrupts, 2h + 1 those of S-mode.

# Lets the UART interrupt this hart; disks are enabled as they are chosen.
plic_init:
    enter0
    ld      t0, hart_id
    slli    t0, t0, 1
    ld      t1, machine_mode
    xori    t1, t1, 1
    add     t0, t0, t1
    slli    t1, t0, 7
    li      t2, PLIC_ENABLE
    add     t1, t1, t2
    sd      t1, plic_enable, t2
    slli    t0, t0, 12
    li      t2, PLIC_CONTEXT
    add     t0, t0, t2
    sd      t0, plic_context, t2
    sw      zero, 0(t1)
    sw      zero, 0(t0)         # threshold 0: every priority but 0 interrupts
    li      a0, UART_IRQ
    call    plic_allow
    leave0

# Lets source a0 (below 32) interrupt this hart.
plic_allow:
    li      t0, PLIC_PRIORITY
    slli    t1, a0, 2
    add     t0, t0, t1
    li      t1, 1
    sw      t1, 0(t0)
    sll     t1, t1, a0
    ld      t0, plic_enable
    lw      t2, 0(t0)
    or      t2, t2, t1
    sw      t2, 0(t0)
    ret

# Source a0 no longer interrupts this hart.
plic_deny:
    li      t1, 1
    sll     t1, t1, a0
    not     t1, t1
    ld      t0, plic_enable
    lw      t2, 0(t0)
    and     t2, t2, t1
    sw      t2, 0(t0)
    ret

# Claims, handles and completes every pending interrupt.
plic_service:
    enter2
1:  ld      s0, plic_context
    lw      s1, 4(s0)           # claim
    beqz    s1, 3f
    li      t0, UART_IRQ
    bne     s1, t0, 2f
    call    uart_interrupt
    sw      s1, 4(s0)           # complete
    j       1b
2:  mv      a0, s1
    call    virtio_interrupt
    sw      s1, 4(s0)
    j       1b
3:  leave2

.bss
.balign 8
plic_enable:    .skip 8         # the enable bits of sources 0..31 for our context
plic_context:   .skip 8         # the threshold register of our context; claim/complete follows
.text
