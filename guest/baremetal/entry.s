# The first bytes of the image: the header of a RISC-V kernel image, so that loaders that know it accept
# the program; its first instruction jumps over it. Then the first steps of the hart.

.text
_start:
    j       start
    nop
    .dword  0x200000            # text offset: where an SBI firmware's loader puts it in RAM
    .dword  _end - _start       # room needed, .bss included
    .dword  0                   # flags: little-endian
    .word   2                   # header version 0.2
    .word   0
    .dword  0
    .dword  0x5643534952        # "RISCV"
    .word   0x05435352          # "RSC\x05"
    .word   0

# Entered with a0 = hart id and a1 = device tree, in M-mode (no firmware: every hart comes here) or in
# S-mode (after an SBI firmware: one hart comes). Reading mstatus tells which: in S-mode that is an
# illegal instruction, for which the firmware calls our trap vector, set to go on behind the read.
start:
    la      t0, supervisor
    csrw    stvec, t0
    csrw    sie, zero
    csrr    t0, mstatus
    csrw    mie, zero
    bnez    a0, park
    li      s2, 1
    j       1f
.balign 4
supervisor:
    li      s2, 0
1:  la      sp, stack_top
    la      t0, bss_start       # RAM keeps its content over a reset
    la      t1, _end
2:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 2b
    sd      a0, hart_id, t0
    sd      s2, machine_mode, t0
    mv      s1, a1

    call    traps_init
    call    uart_init
    call    plic_init
    mv      a0, s1
    call    fdt_read
    call    heap_init
    call    wishes_init
    call    interrupts_enable
    call    banner
    call    disks_find
    j       menu

# The harts that are not needed.
park:
    wfi
    j       park

.bss
.balign 8
bss_start:
hart_id:        .skip 8
machine_mode:   .skip 8         # 1: M-mode, 0: S-mode
.text
