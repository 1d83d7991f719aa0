# Traps. Both vectors save what a function may change, hand cause, address and value of the trap to
# trap_handle, and return to the address it answers.

.macro trap_save
    addi    sp, sp, -128
    sd      ra, 0(sp)
    sd      t0, 8(sp)
    sd      t1, 16(sp)
    sd      t2, 24(sp)
    sd      t3, 32(sp)
    sd      t4, 40(sp)
    sd      t5, 48(sp)
    sd      t6, 56(sp)
    sd      a0, 64(sp)
    sd      a1, 72(sp)
    sd      a2, 80(sp)
    sd      a3, 88(sp)
    sd      a4, 96(sp)
    sd      a5, 104(sp)
    sd      a6, 112(sp)
    sd      a7, 120(sp)
.endm

.macro trap_restore
    ld      ra, 0(sp)
    ld      t0, 8(sp)
    ld      t1, 16(sp)
    ld      t2, 24(sp)
    ld      t3, 32(sp)
    ld      t4, 40(sp)
    ld      t5, 48(sp)
    ld      t6, 56(sp)
    ld      a0, 64(sp)
    ld      a1, 72(sp)
    ld      a2, 80(sp)
    ld      a3, 88(sp)
    ld      a4, 96(sp)
    ld      a5, 104(sp)
    ld      a6, 112(sp)
    ld      a7, 120(sp)
    addi    sp, sp, 128
.endm

.equ CAUSE_SUPERVISOR_TIMER, 5
.equ CAUSE_MACHINE_TIMER, 7
.equ CAUSE_SUPERVISOR_EXTERNAL, 9
.equ CAUSE_MACHINE_EXTERNAL, 11

# Sets the trap vector of the current mode.
traps_init:
    ld      t0, machine_mode
    beqz    t0, 1f
    la      t0, trap_machine
    csrw    mtvec, t0
    ret
1:  la      t0, trap_supervisor
    csrw    stvec, t0
    ret

.balign 4
trap_machine:
    trap_save
    csrr    a0, mcause
    csrr    a1, mepc
    csrr    a2, mtval
    call    trap_handle
    csrw    mepc, a0
    trap_restore
    mret

.balign 4
trap_supervisor:
    trap_save
    csrr    a0, scause
    csrr    a1, sepc
    csrr    a2, stval
    call    trap_handle
    csrw    sepc, a0
    trap_restore
    sret

# a0 = cause, a1 = address of the instruction, a2 = value. Answers a0 = where to go on.
trap_handle:
    enter2
    mv      s0, a1
    bgez    a0, fault
    andi    t0, a0, 0xff
    li      t1, CAUSE_MACHINE_EXTERNAL
    beq     t0, t1, external
    li      t1, CAUSE_SUPERVISOR_EXTERNAL
    beq     t0, t1, external
    li      t1, CAUSE_MACHINE_TIMER
    beq     t0, t1, timer
    li      t1, CAUSE_SUPERVISOR_TIMER
    bne     t0, t1, unexpected
timer:
    call    timer_disarm        # its purpose was to end a wfi
    j       1f
external:
    call    plic_service
    j       1f

# A fault somewhere that expects it goes on where that place says; any other is reported and ends the
# command.
fault:
    la      t0, fault_resume
    ld      t1, 0(t0)
    beqz    t1, unexpected
    sd      zero, 0(t0)
    mv      s0, t1
1:  mv      a0, s0
    leave2
unexpected:
    mv      a3, a2
    mv      a2, s0
    la      a4, _start
    sub     a4, s0, a4
    mv      a1, a0
    print   "\nerror: trap cause=0x%x epc=0x%x tval=0x%x offset=0x%x\n"
    la      s0, menu_restart
    j       1b

.bss
.balign 8
fault_resume:   .skip 8         # where to go on after an expected fault; 0: none is expected
.text
