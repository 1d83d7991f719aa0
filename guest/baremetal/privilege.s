# What differs between M-mode and S-mode: the interrupt enables, and the timer.

.equ STATUS_SIE, 1 << 1
.equ STATUS_MIE, 1 << 3
.equ INTERRUPT_SUPERVISOR_TIMER, 1 << 5
.equ INTERRUPT_MACHINE_TIMER, 1 << 7
.equ INTERRUPT_SUPERVISOR_EXTERNAL, 1 << 9
.equ INTERRUPT_MACHINE_EXTERNAL, 1 << 11
.equ SBI_TIME, 0x54494d45       # the SBI extension; function 0 is set_timer
.equ SBI_SRST, 0x53525354

# Lets traps interrupt the program.
interrupts_enable:
    ld      t0, machine_mode
    beqz    t0, 1f
    li      t0, INTERRUPT_MACHINE_EXTERNAL
    csrs    mie, t0
    csrsi   mstatus, STATUS_MIE
    ret
1:  li      t0, INTERRUPT_SUPERVISOR_EXTERNAL
    csrs    sie, t0
    csrsi   sstatus, STATUS_SIE
    ret

# Holds traps back. A pending interrupt still ends a wfi: that is what makes 'look, then sleep' safe.
interrupts_disable:
    ld      t0, machine_mode
    beqz    t0, 1f
    csrci   mstatus, STATUS_MIE
    ret
1:  csrci   sstatus, STATUS_SIE
    ret

# Sleeps until an interrupt is pending or the time a0 (in ticks; 0: no limit) has come, then takes the
# interrupt. Called with interrupts disabled, after looking whether there is anything to do; returns
# with interrupts enabled.
idle:
    enter0
    beqz    a0, 1f
    call    timer_arm
1:  wfi
    call    interrupts_enable
    leave0

# Asks for a timer interrupt at time a0.
timer_arm:
    ld      t0, machine_mode
    beqz    t0, 1f
    ld      t0, hart_id
    slli    t0, t0, 3
    li      t1, CLINT_MTIMECMP
    add     t0, t0, t1
    sd      a0, 0(t0)
    li      t0, INTERRUPT_MACHINE_TIMER
    csrs    mie, t0
    ret
1:  li      a7, SBI_TIME
    li      a6, 0
    ecall
    li      t0, INTERRUPT_SUPERVISOR_TIMER
    csrs    sie, t0
    ret

timer_disarm:
    ld      t0, machine_mode
    beqz    t0, 1f
    li      t0, INTERRUPT_MACHINE_TIMER
    csrc    mie, t0
    ret
1:  li      t0, INTERRUPT_SUPERVISOR_TIMER
    csrc    sie, t0
    ret
