# The 16550 UART: output waits for room, input is taken by interrupt into a ring.
#
# When the ring is full the receive interrupt is masked and characters stay in the UART, whose FIFO
# holds back the sender: a script may be sent at once, nothing is lost.

.equ UART_RBR, 0                # receive buffer (read), transmit holding (write)
.equ UART_IER, 1
.equ UART_FCR, 2
.equ UART_LCR, 3
.equ UART_MCR, 4
.equ UART_LSR, 5
.equ UART_IER_RECEIVE, 1
.equ UART_LSR_READY, 1
.equ UART_LSR_EMPTY, 0x20

.equ INPUT_SIZE, 1024           # a power of two
.equ CONTROL_C, 3

uart_init:
    enter0
    li      t0, UART
    li      t1, 3
    sb      t1, UART_LCR(t0)    # 8 bits, no parity, one stop bit
    call    uart_interrupt      # what was sent before we came: switching the FIFOs on empties them
    li      t0, UART
    lbu     t1, UART_FCR(t0)    # reads as IIR, whose top bits tell whether they are on
    andi    t1, t1, 0xc0
    bnez    t1, 1f
    li      t1, 1
    sb      t1, UART_FCR(t0)
1:  li      t1, 8
    sb      t1, UART_MCR(t0)    # OUT2 lets interrupts through
    li      t1, UART_IER_RECEIVE
    sb      t1, UART_IER(t0)
    leave0

# Sends the character a0; a line feed is preceded by a carriage return. Changes t0..t2 only.
putc:
    li      t0, UART
    li      t2, '\n'
    bne     a0, t2, 2f
1:  lbu     t1, UART_LSR(t0)
    andi    t1, t1, UART_LSR_EMPTY
    beqz    t1, 1b
    li      t2, '\r'
    sb      t2, UART_RBR(t0)
2:  lbu     t1, UART_LSR(t0)
    andi    t1, t1, UART_LSR_EMPTY
    beqz    t1, 2b
    sb      a0, UART_RBR(t0)
    ret

# Takes what has arrived. Control-C does not wait in line: it sets input_break, and what was typed before
# it is forgotten.
uart_interrupt:
    li      t0, UART
    la      t1, input_ring
    ld      t2, input_head
    ld      t3, input_tail
1:  lbu     t4, UART_LSR(t0)
    andi    t4, t4, UART_LSR_READY
    beqz    t4, 3f
    sub     t4, t2, t3
    li      t5, INPUT_SIZE
    beq     t4, t5, 4f
    lbu     t4, UART_RBR(t0)
    li      t5, CONTROL_C
    beq     t4, t5, 2f
    andi    t5, t2, INPUT_SIZE - 1
    add     t5, t1, t5
    sb      t4, 0(t5)
    addi    t2, t2, 1
    j       1b
2:  li      t4, 1
    sd      t4, input_break, t5
    mv      t3, t2
    sd      t3, input_tail, t5
    j       1b
4:  sb      zero, UART_IER(t0)
    li      t4, 1
    sd      t4, input_masked, t5
3:  sd      t2, input_head, t5
    ret

# Answers a0 = 1 if a character is waiting.
input_ready:
    ld      t0, input_head
    ld      t1, input_tail
    sub     t0, t0, t1
    snez    a0, t0
    ret

# Answers a0 = the next character, sleeping until there is one; CONTROL_C if that was pressed.
getc:
    enter0
1:  call    interrupts_disable
    la      t0, input_break
    ld      t1, 0(t0)
    bnez    t1, 4f
    call    input_ready
    bnez    a0, 2f
    li      a0, 0
    call    idle
    j       1b
2:  ld      t0, input_tail
    la      t1, input_ring
    andi    t2, t0, INPUT_SIZE - 1
    add     t1, t1, t2
    lbu     a0, 0(t1)
    addi    t0, t0, 1
    sd      t0, input_tail, t1
    la      t0, input_masked
    ld      t1, 0(t0)
    beqz    t1, 3f
    sd      zero, 0(t0)         # there is room again
    li      t0, UART
    li      t1, UART_IER_RECEIVE
    sb      t1, UART_IER(t0)
3:  sd      a0, 8(sp)
    call    interrupts_enable
    ld      a0, 8(sp)
    leave0
4:  sd      zero, 0(t0)
    li      a0, CONTROL_C
    j       3b

.bss
.balign 8
input_head:     .skip 8         # characters ever put in; the interrupt handler's
input_tail:     .skip 8         # characters ever taken out
input_masked:   .skip 8         # 1: the receive interrupt is off because the ring was full
input_break:    .skip 8         # 1: Control-C was pressed
input_ring:     .skip INPUT_SIZE
.text
