# Behind everything else: the stack, and the first byte the program does not use.

.bss
.balign 16
    .skip   16384
stack_top:
_end:
.text
