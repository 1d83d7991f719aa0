# The commands: loads, single requests, the device, the machine.

# --- Loads -------------------------------------------------------------------------------------------

command_read:
    la      a1, next_read
    li      a2, 0
    li      a3, 0
    text    a0, "read"
    j       run_load

command_write:
    la      a1, next_write
    li      a2, 0
    li      a3, 1
    text    a0, "write"
    j       run_load

command_check:
    la      a1, next_check
    li      a2, 0
    li      a3, 0
    text    a0, "check"
    j       run_load

command_verify:
    la      a1, next_write
    la      a2, next_check
    li      a3, 1
    text    a0, "verify"
    j       run_load

command_mix:
    la      a1, next_mixed
    la      a2, next_swept
    li      a3, 1
    text    a0, "mix"
    j       run_load

command_loop:
    li      a4, 1
    la      a1, next_mixed
    la      a2, next_swept
    li      a3, 1
    text    a0, "loop"
    j       run_endless

# Runs a load: a0 = its name, a1 and a2 = its phases, a3 = 1 if it writes; a4 = 1 if it is endless.
run_load:
    li      a4, 0
run_endless:
    enter8
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
    call    job_reset
    la      s0, job
    sd      s1, JOB_FIRST(s0)
    sd      s2, JOB_SECOND(s0)
    sd      s3, JOB_WRITES(s0)
    sd      s4, JOB_ENDLESS(s0)
    xori    t0, s4, 1
    sd      t0, JOB_SWEEP(s0)   # who presses a key wants it to end
    call    job_parse
    bnez    a0, 2f
    la      t0, next_mixed
    bne     s1, t0, 1f
    li      t0, 1
    sd      t0, JOB_RANDOM(s0)
    ld      t0, JOB_SWEEP(s0)
    bnez    t0, 1f
    sd      zero, JOB_SECOND(s0)
1:  call    report_changes
    call    job_check
    bnez    a0, say_error
    call    engine_run
    call    report_result
2:  leave8

# The end of a command whose frame is enter8: says the reason a0.
say_error:
    mv      a1, a0
    print   "error: %s\n"
    leave8

# --- Single requests ---------------------------------------------------------------------------------

command_flush:
    enter8
    la      s0, device
    ld      t0, DEV_RUNNING(s0)
    text    a0, "there is no disk in use"
    beqz    t0, say_error
    ld      t0, DEV_FEATURES(s0)
    srli    t0, t0, BLK_F_FLUSH
    andi    t0, t0, 1
    text    a0, "the disk does not offer FLUSH"
    beqz    t0, say_error
    rdtime  s1
    li      a0, BLK_T_FLUSH
    li      a1, 0
    li      a2, 0
    li      a3, 0
    call    request_do
    text    s2, "flush"
report_request:                 # s1 = when it began, s2 = its name, a0 = its status
    mv      s3, a0
    rdtime  a0
    sub     a0, a0, s1
    call    ticks_to_us
    mv      a3, a0
    mv      a1, s2
    mv      a2, s3
    print   "result op=%s status=%u us=%u\n"
    leave8

command_id:
    enter8
    la      t0, device
    ld      t0, DEV_RUNNING(t0)
    text    a0, "there is no disk in use"
    beqz    t0, say_error
    la      s0, id_buffer
    sd      zero, 0(s0)
    sd      zero, 8(s0)
    sd      zero, 16(s0)
    li      a0, BLK_T_GET_ID
    li      a1, 0
    mv      a2, s0
    li      a3, ID_BYTES
    call    request_do
    sb      zero, ID_BYTES(s0)  # a full identifier has no zero of its own
    mv      a1, a0
    mv      a2, s0
    print   "result op=id status=%u id=%s\n"
    leave8

command_discard:
    li      a0, BLK_T_DISCARD
    text    a1, "discard"
    li      a2, BLK_F_DISCARD
    j       range_request

command_zeroes:
    li      a0, BLK_T_WRITE_ZEROES
    text    a1, "zeroes"
    li      a2, BLK_F_WRITE_ZEROES

# SECTOR COUNT follow on the line: a0 = type, a1 = name, a2 = the feature it needs.
range_request:
    enter8
    mv      s0, a0
    mv      s2, a1
    la      t0, device
    ld      t1, DEV_RUNNING(t0)
    text    a0, "there is no disk in use"
    beqz    t1, say_error
    ld      t0, DEV_FEATURES(t0)
    srl     t0, t0, a2
    andi    t0, t0, 1
    text    a0, "the disk does not offer that"
    beqz    t0, say_error
    call    write_allowed
    bnez    a0, say_error
    call    next_number
    beqz    a1, 1f
    mv      s3, a0
    call    next_number
    beqz    a1, 1f
    la      a2, range_segment
    sd      s3, 0(a2)
    sw      a0, 8(a2)
    sw      zero, 12(a2)
    rdtime  s1
    mv      a0, s0
    li      a1, 0
    li      a3, 16
    call    request_do
    j       report_request
1:  text    a0, "a sector and a number of sectors are needed"
    j       say_error

# Reads the next word as a number. Answers as parse_number does.
next_number:
    enter0
    call    next_word
    li      a1, 0
    beqz    a0, 1f
    call    parse_number
1:  leave0

# --- The device --------------------------------------------------------------------------------------

command_info:
    enter8
    text    a1, "S"
    ld      t0, machine_mode
    beqz    t0, 1f
    text    a1, "M"
1:  ld      a2, hart_id
    ld      a3, ram_base
    ld      a4, ram_end
    ld      a5, timebase
    ld      a6, fdt_address
    la      a7, _start
    print   "machine: mode=%s hart=%u ram=0x%x..0x%x timebase=%u fdt=0x%x image=0x%x\n"
    call    heap_free_bytes
    mv      a1, a0
    ld      a2, disk_count
    print   "memory: free=%u; disks=%u\n"
    la      s0, device
    ld      s1, DEV_BASE(s0)
    beqz    s1, 4f
    call    disk_describe
    mv      a1, s1
    lwu     a2, MMIO_STATUS(s1)
    ld      a3, DEV_OFFERED(s0)
    ld      a4, DEV_FEATURES(s0)
    ld      a5, DEV_SEG_MAX(s0)
    print   "device: base=0x%x status=0x%x offered=0x%x negotiated=0x%x seg_max=%u\n"
    call    describe_driver
    ld      a1, DEV_KICKS(s0)
    ld      a2, DEV_INTERRUPTS(s0)
    ld      a3, DEV_SPURIOUS(s0)
    ld      a4, DEV_CHANGES(s0)
    ld      a5, DEV_UNKNOWN(s0)
    print   "counts: kicks=%u irqs=%u spurious=%u config_changes=%u unknown=%u\n"
4:  leave8

command_disk:
    enter8
    call    next_word
    beqz    a0, 2f
    call    parse_number
    beqz    a1, 1f
    ld      t0, disk_count
    bgeu    a0, t0, 1f
    call    disk_choose
    leave8
1:  text    a0, "there is no disk of that number"
    j       say_error
2:  ld      s0, disk_count
    li      s1, 0
    la      s2, disks
3:  bgeu    s1, s0, 4f
    mv      a1, s1
    ld      a2, 0(s2)
    ld      a3, 8(s2)
    print   "disk=%u base=0x%x irq=%u\n"
    addi    s1, s1, 1
    addi    s2, s2, 16
    j       3b
4:  leave8

wishes_init:
    la      t0, wishes
    li      t1, 1
    sd      t1, WISH_EVENT_IDX(t0)
    sd      t1, WISH_INDIRECT(t0)
    sd      t1, WISH_INTERRUPTS(t0)
    li      t1, MAX_QUEUES
    sd      t1, WISH_QUEUES(t0)
    li      t1, MAX_QUEUE_SIZE
    sd      t1, WISH_QUEUE_SIZE(t0)
    ret

command_event_idx:
    li      a0, WISH_EVENT_IDX
    j       switch_wish

command_indirect:
    li      a0, WISH_INDIRECT

# Sets wish a0 to the 'on' or 'off' that follows and starts the device again.
switch_wish:
    enter8
    la      s0, wishes
    add     s0, s0, a0
    call    parse_switch
    bltz    a0, need_switch
    sd      a0, 0(s0)
restart:
    la      t0, device
    ld      t0, DEV_BASE(t0)
    beqz    t0, 1f
    call    device_start
    bnez    a0, say_error
    call    describe_driver
1:  leave8
need_switch:
    text    a0, "on or off?"
    j       say_error

# Interrupts or polling need no negotiation.
command_irq:
    enter8
    call    parse_switch
    bltz    a0, need_switch
    la      t0, wishes
    sd      a0, WISH_INTERRUPTS(t0)
    call    describe_driver
    leave8

command_queues:
    enter8
    li      s0, WISH_QUEUES
    li      s1, MAX_QUEUES
    j       number_wish

command_qsize:
    enter8
    li      s0, WISH_QUEUE_SIZE
    li      s1, MAX_QUEUE_SIZE
    j       number_wish

number_wish:
    call    next_number
    beqz    a1, 1f
    beqz    a0, 1f
    bgtu    a0, s1, 1f
    addi    t0, a0, -1
    and     t0, t0, a0
    bnez    t0, 1f
    la      t0, wishes
    add     t0, t0, s0
    sd      a0, 0(t0)
    j       restart
1:  mv      a1, s1
    print   "error: a power of two from 1 to %u is needed\n"
    leave8

# One line about what was negotiated and how completions are awaited.
describe_driver:
    enter0
    la      t3, device
    ld      t0, DEV_FEATURES(t3)
    srli    t1, t0, F_EVENT_IDX
    andi    a1, t1, 1
    srli    t1, t0, F_INDIRECT_DESC
    andi    a2, t1, 1
    la      t0, wishes
    ld      a3, WISH_INTERRUPTS(t0)
    ld      a4, DEV_QUEUES(t3)
    la      t0, queues
    lwu     a5, VQ_SIZE(t0)
    print   "driver: event_idx=%u indirect=%u irq=%u queues=%u queue_size=%u\n"
    leave0

command_unlock:
    li      t1, 1
    j       1f
command_lock:
    li      t1, 0
1:  la      t0, wishes
    sd      t1, WISH_UNLOCKED(t0)
    ret

# --- The machine -------------------------------------------------------------------------------------

command_time:
    enter2
    rdtime  s0
    mv      a0, s0
    call    ticks_to_us
    mv      a2, a0
    mv      a1, s0
    ld      a3, timebase
    print   "time ticks=%u us=%u timebase=%u\n"
    leave2

command_poweroff:
    li      t1, FINISHER_PASS
    j       1f
command_reset:
    li      t1, FINISHER_RESET
1:  li      t0, FINISHER
    sw      t1, 0(t0)
2:  wfi
    j       2b

.bss
.balign 8
id_buffer:      .skip 24
range_segment:  .skip 16        # sector, number of sectors, flags
.text
