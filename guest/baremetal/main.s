# The built-in bare-metal guest: a serial menu that drives virtio-blk.
#
# The files in the order they lie in the image. The header must come first.

.include "board.s"              # the memory map, as numbers
.include "blk.s"                # virtio-blk, as numbers
.include "macros.s"             # function frames, print
.include "layout.s"             # the records several files share

.include "entry.s"              # image header, M-mode or S-mode, first steps
.include "trap.s"               # traps: interrupts and faults
.include "privilege.s"          # what differs between M-mode and S-mode
.include "plic.s"               # the interrupt controller
.include "uart.s"               # the serial line
.include "printf.s"             # formatted output
.include "line.s"               # a line of input, its words and numbers
.include "fdt.s"                # the device tree: RAM size, clock rate
.include "heap.s"               # memory for rings and buffers
.include "random.s"             # the pseudo-random sequence

.include "virtio.s"             # the virtio-mmio transport
.include "virtqueue.s"          # the split virtqueue
.include "pattern.s"            # what is written to a disk, and checking it
.include "disk.s"               # finding and choosing disks, single requests

.include "job.s"                # a load: its parameters
.include "operations.s"         # which request comes next
.include "engine.s"             # submit, complete, wait
.include "complete.s"           # what a completion must look like
.include "histogram.s"          # latencies
.include "report.s"             # result lines

.include "cpu.s"                # kernels for the processor alone
.include "sieve.s"
.include "bytecode.s"
.include "sha256.s"

.include "menu.s"               # the command loop and the help
.include "commands.s"           # device and machine commands

.include "end.s"                # the stack; the first free byte
