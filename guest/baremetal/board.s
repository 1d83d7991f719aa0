# The memory map of the QEMU 'virt' board.
#
#   address      size      what
#   0x00100000   4 KiB     test finisher: power-off and reset
#   0x02000000   64 KiB    CLINT: mtimecmp per hart, mtime
#   0x0c000000   64 MiB    PLIC: interrupt sources 1..8 are virtio, 10 is the UART
#   0x10000000   256 B     UART 16550
#   0x10001000   8 x 4 KiB virtio-mmio transports, interrupts 1..8
#   0x80000000   -m        RAM

.equ FINISHER, 0x100000
.equ FINISHER_PASS, 0x5555
.equ FINISHER_RESET, 0x7777

.equ CLINT_MTIMECMP, 0x2004000  # + 8 * hart

.equ PLIC_PRIORITY, 0x0c000000  # + 4 * source
.equ PLIC_ENABLE, 0x0c002000    # + 0x80 * context
.equ PLIC_CONTEXT, 0x0c200000   # + 0x1000 * context: threshold, then claim/complete

.equ UART, 0x10000000
.equ UART_IRQ, 10

.equ VIRTIO_MMIO, 0x10001000
.equ VIRTIO_MMIO_STRIDE, 0x1000
.equ VIRTIO_MMIO_SLOTS, 8
.equ VIRTIO_MMIO_IRQ, 1         # of the first slot

.equ DEFAULT_TIMEBASE, 10000000 # ticks of the time CSR per second
.equ DEFAULT_RAM_END, 0x88000000
