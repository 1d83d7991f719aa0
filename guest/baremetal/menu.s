# The command loop. A command is a row of the table: its function, its name, and the next rows.

.macro command name, handler
    .word   \handler - commands
    .asciz  "\name"
    .balign 16
.endm

.section .rodata
.balign 16
commands:
    command "help", command_help
    command "info", command_info
    command "disk", command_disk
    command "read", command_read
    command "write", command_write
    command "check", command_check
    command "verify", command_verify
    command "mix", command_mix
    command "loop", command_loop
    command "flush", command_flush
    command "id", command_id
    command "discard", command_discard
    command "zeroes", command_zeroes
    command "irq", command_irq
    command "event_idx", command_event_idx
    command "indirect", command_indirect
    command "queues", command_queues
    command "qsize", command_qsize
    command "unlock", command_unlock
    command "lock", command_lock
    command "time", command_time
    command "cpu", command_cpu
    command "poweroff", command_poweroff
    command "reset", command_reset
commands_end:
help_text:
    .ascii  "Loads: OPERATION [seq|rand] [OPTION NUMBER]...   (also OPTION=NUMBER, with K, M, G)\n"
    .ascii  "  read            read, ignoring the content\n"
    .ascii  "  write           write a pattern of sector, seed and generation\n"
    .ascii  "  check           read and compare with what 'write' wrote (same seed and gen)\n"
    .ascii  "  verify          write, then check\n"
    .ascii  "  mix             read and write at random, check every read, then check all\n"
    .ascii  "  loop            mix until a key is pressed, a line each second, no check of all\n"
    .ascii  "  options: bs 4096, qd 16, count 4096, secs N, seed 1, segs 1, start 0, span N (bytes),\n"
    .ascii  "           gen N, reads 50 (% of mix), flush N (after N requests), timeout 30 (s), sweep 0|1\n"
    .ascii  "Disk:  info  disk [N]  id  flush  discard SECTOR COUNT  zeroes SECTOR COUNT  unlock  lock\n"
    .ascii  "Device, renegotiated: event_idx on|off  indirect on|off  queues N  qsize N;  irq on|off\n"
    .asciz  "Machine: time  cpu [sieve|interp|sha256 [ROUNDS]]  poweroff  reset\n"
.text

banner:
    enter0
    text    a1, "S"
    ld      t0, machine_mode
    beqz    t0, 1f
    text    a1, "M"
1:  ld      a2, hart_id
    ld      t0, ram_end
    ld      t1, ram_base
    sub     a3, t0, t1
    srli    a3, a3, 20
    ld      a4, timebase
    print   "\nbare-metal guest: mode=%s hart=%u ram_mib=%u timebase=%u; type 'help'\n"
    leave0

# Also where a trap that nobody expected ends.
menu_restart:
    la      sp, stack_top
    call    interrupts_enable
    la      t0, device
    ld      t0, DEV_BASE(t0)
    beqz    t0, menu
    call    device_start
menu:
    call    report_changes
    bnez    a0, menu_restart
    text    a0, "> "
    call    puts
    call    read_line
    beqz    a0, menu
    call    next_word
    beqz    a0, menu
    mv      s0, a0
    la      s1, commands
1:  mv      a0, s0
    addi    a1, s1, 4
    call    strcmp
    beqz    a0, 2f
    addi    s1, s1, 16
    la      t0, commands_end
    bltu    s1, t0, 1b
    mv      a1, s0
    print   "error: unknown command '%s'; try 'help'\n"
    j       menu
2:  lw      t0, 0(s1)
    la      t1, commands
    add     t0, t0, t1
    jalr    t0
    j       menu

# Says so if the disk has announced a change of its configuration: it may have been resized, or be broken
# (DEVICE_NEEDS_RESET). Answers a0 = 1 if it is broken.
report_changes:
    enter4
    li      s2, 0
    la      s0, device
    ld      t0, DEV_CHANGES(s0)
    ld      t1, DEV_CHANGES_SEEN(s0)
    beq     t0, t1, 1f
    sd      t0, DEV_CHANGES_SEEN(s0)
    ld      s1, DEV_BASE(s0)
    call    read_capacity
    lwu     t0, MMIO_STATUS(s1)
    andi    s2, t0, STATUS_NEEDS_RESET
    snez    s2, s2
    ld      a1, DEV_CAPACITY(s0)
    mv      a2, s2
    print   "event config_change sectors=%u needs_reset=%u\n"
1:  mv      a0, s2
    leave4

command_help:
    la      a0, help_text
    tail    puts
