# One instruction per line, for update-encodings.mjs and encodings.test.ts. Each line stands by itself;
# distances are written relative to the line ('. + 8').
add a0, a1, a2
add t6, s11, x0
sub a0, a1, a2
sub t6, s11, x1
sll a0, a1, a2
sll t6, s11, x2
slt a0, a1, a2
slt t6, s11, x3
sltu a0, a1, a2
sltu t6, s11, x4
xor a0, a1, a2
xor t6, s11, x5
srl a0, a1, a2
srl t6, s11, x6
sra a0, a1, a2
sra t6, s11, x7
or a0, a1, a2
or t6, s11, x8
and a0, a1, a2
and t6, s11, x9
addw a0, a1, a2
addw t6, s11, x10
subw a0, a1, a2
subw t6, s11, x11
sllw a0, a1, a2
sllw t6, s11, x12
srlw a0, a1, a2
srlw t6, s11, x13
sraw a0, a1, a2
sraw t6, s11, x14
mul a0, a1, a2
mul t6, s11, x15
mulh a0, a1, a2
mulh t6, s11, x16
mulhsu a0, a1, a2
mulhsu t6, s11, x17
mulhu a0, a1, a2
mulhu t6, s11, x18
div a0, a1, a2
div t6, s11, x19
divu a0, a1, a2
divu t6, s11, x20
rem a0, a1, a2
rem t6, s11, x21
remu a0, a1, a2
remu t6, s11, x22
mulw a0, a1, a2
mulw t6, s11, x23
divw a0, a1, a2
divw t6, s11, x24
divuw a0, a1, a2
divuw t6, s11, x25
remw a0, a1, a2
remw t6, s11, x26
remuw a0, a1, a2
remuw t6, s11, x27
addi a0, a1, 0
addi s1, t0, -2048
addi t6, zero, 2047
addi ra, sp, -1
slti a0, a1, 0
slti s1, t0, -2048
slti t6, zero, 2047
slti ra, sp, -1
sltiu a0, a1, 0
sltiu s1, t0, -2048
sltiu t6, zero, 2047
sltiu ra, sp, -1
xori a0, a1, 0
xori s1, t0, -2048
xori t6, zero, 2047
xori ra, sp, -1
ori a0, a1, 0
ori s1, t0, -2048
ori t6, zero, 2047
ori ra, sp, -1
andi a0, a1, 0
andi s1, t0, -2048
andi t6, zero, 2047
andi ra, sp, -1
addiw a0, a1, 0
addiw s1, t0, -2048
addiw t6, zero, 2047
addiw ra, sp, -1
slli a0, s0, 0
slli a0, s0, 1
slli a0, s0, 31
slli a0, s0, 32
slli a0, s0, 63
srli a0, s0, 0
srli a0, s0, 1
srli a0, s0, 31
srli a0, s0, 32
srli a0, s0, 63
srai a0, s0, 0
srai a0, s0, 1
srai a0, s0, 31
srai a0, s0, 32
srai a0, s0, 63
slliw a0, s0, 0
slliw a0, s0, 5
slliw a0, s0, 31
srliw a0, s0, 0
srliw a0, s0, 5
srliw a0, s0, 31
sraiw a0, s0, 0
sraiw a0, s0, 5
sraiw a0, s0, 31
lb a0, (a1)
lb t0, 2047(sp)
lb s11, -2048(t6)
lb zero, 8*3+1(gp)
lh a0, (a1)
lh t0, 2047(sp)
lh s11, -2048(t6)
lh zero, 8*3+1(gp)
lw a0, (a1)
lw t0, 2047(sp)
lw s11, -2048(t6)
lw zero, 8*3+1(gp)
ld a0, (a1)
ld t0, 2047(sp)
ld s11, -2048(t6)
ld zero, 8*3+1(gp)
lbu a0, (a1)
lbu t0, 2047(sp)
lbu s11, -2048(t6)
lbu zero, 8*3+1(gp)
lhu a0, (a1)
lhu t0, 2047(sp)
lhu s11, -2048(t6)
lhu zero, 8*3+1(gp)
lwu a0, (a1)
lwu t0, 2047(sp)
lwu s11, -2048(t6)
lwu zero, 8*3+1(gp)
sb a0, (a1)
sb t0, 2047(sp)
sb s11, -2048(t6)
sb zero, 8*3+1(gp)
sh a0, (a1)
sh t0, 2047(sp)
sh s11, -2048(t6)
sh zero, 8*3+1(gp)
sw a0, (a1)
sw t0, 2047(sp)
sw s11, -2048(t6)
sw zero, 8*3+1(gp)
sd a0, (a1)
sd t0, 2047(sp)
sd s11, -2048(t6)
sd zero, 8*3+1(gp)
beq a0, t1, .
beq s2, zero, . + 4094
beq s2, a7, . - 4096
beq ra, sp, . + 2048
bne a0, t1, .
bne s2, zero, . + 4094
bne s2, a7, . - 4096
bne ra, sp, . + 2048
blt a0, t1, .
blt s2, zero, . + 4094
blt s2, a7, . - 4096
blt ra, sp, . + 2048
bge a0, t1, .
bge s2, zero, . + 4094
bge s2, a7, . - 4096
bge ra, sp, . + 2048
bltu a0, t1, .
bltu s2, zero, . + 4094
bltu s2, a7, . - 4096
bltu ra, sp, . + 2048
bgeu a0, t1, .
bgeu s2, zero, . + 4094
bgeu s2, a7, . - 4096
bgeu ra, sp, . + 2048
bgt a0, t1, .
bgt s2, zero, . + 4094
bgt s2, a7, . - 4096
bgt ra, sp, . + 2048
ble a0, t1, .
ble s2, zero, . + 4094
ble s2, a7, . - 4096
ble ra, sp, . + 2048
bgtu a0, t1, .
bgtu s2, zero, . + 4094
bgtu s2, a7, . - 4096
bgtu ra, sp, . + 2048
bleu a0, t1, .
bleu s2, zero, . + 4094
bleu s2, a7, . - 4096
bleu ra, sp, . + 2048
beqz a0, . + 16
beqz t6, . - 20
bnez a0, . + 16
bnez t6, . - 20
blez a0, . + 16
blez t6, . - 20
bgez a0, . + 16
bgez t6, . - 20
bltz a0, . + 16
bltz t6, . - 20
bgtz a0, . + 16
bgtz t6, . - 20
lui t2, 0
lui t2, 1
lui t2, 0xfffff
lui t2, 0x80000
lui t2, 0x12345
auipc t2, 0
auipc t2, 1
auipc t2, 0xfffff
auipc t2, 0x80000
auipc t2, 0x12345
jal ra, .
j .
jal .
jal t0, .
jal ra, . + 0xffffe
j . + 0xffffe
jal . + 0xffffe
jal t0, . + 0xffffe
jal ra, . - 0x100000
j . - 0x100000
jal . - 0x100000
jal t0, . - 0x100000
jal ra, . + 2048
j . + 2048
jal . + 2048
jal t0, . + 2048
jal ra, . - 2
j . - 2
jal . - 2
jal t0, . - 2
jal ra, . + 0x12344
j . + 0x12344
jal . + 0x12344
jal t0, . + 0x12344
jalr ra, 0(t0)
jalr zero, a0, -4
jalr a0
jalr t0, 2047(a1)
jr s0
ret
csrrw a0, mstatus, t1
csrrw a0, sstatus, t1
csrrw a0, mtvec, t1
csrrw a0, stvec, t1
csrrw a0, mie, t1
csrrw a0, mip, t1
csrrw a0, sie, t1
csrrw a0, sip, t1
csrrw a0, mepc, t1
csrrw a0, sepc, t1
csrrw a0, mcause, t1
csrrw a0, scause, t1
csrrw a0, mtval, t1
csrrw a0, stval, t1
csrrw a0, satp, t1
csrrw a0, mhartid, t1
csrrw a0, misa, t1
csrrw a0, medeleg, t1
csrrw a0, mideleg, t1
csrrw a0, mcounteren, t1
csrrw a0, scounteren, t1
csrrw a0, mscratch, t1
csrrw a0, sscratch, t1
csrrw a0, pmpcfg0, t1
csrrw a0, pmpaddr0, t1
csrrw a0, mcycle, t1
csrrw a0, minstret, t1
csrrw a0, mvendorid, t1
csrrw a0, marchid, t1
csrrw a0, mimpid, t1
csrrw a0, 0x7c0, zero
csrrs a0, mstatus, t1
csrrs a0, sip, t1
csrrs a0, satp, t1
csrrs a0, mscratch, t1
csrrs a0, marchid, t1
csrrs a0, 0x7c0, zero
csrrc a0, mstatus, t1
csrrc a0, sip, t1
csrrc a0, satp, t1
csrrc a0, mscratch, t1
csrrc a0, marchid, t1
csrrc a0, 0x7c0, zero
csrrwi a0, mstatus, 0
csrrwi zero, sie, 31
csrrsi a0, mstatus, 0
csrrsi zero, sie, 31
csrrci a0, mstatus, 0
csrrci zero, sie, 31
csrr a0, mhartid
csrw mtvec, t0
csrs mie, s1
csrc mip, t0
csrwi mie, 0
csrsi mstatus, 8
csrci sstatus, 2
rdcycle a0
rdtime t0
rdinstret s0
fence
fence rw, rw
fence w, o
fence r, w
fence iorw, i
fence.i
ecall
ebreak
mret
sret
wfi
sfence.vma
sfence.vma a0, a1
nop
mv a0, a1
not a0, a1
neg a0, a1
negw a0, a1
sext.w a0, a1
zext.b a0, a1
zext.h a0, a1
zext.w a0, a1
sext.b a0, a1
sext.h a0, a1
seqz a0, a1
snez a0, a1
sltz a0, a1
sgtz a0, a1
amoadd.w a0, t1, (s2)
amoadd.w.aq a0, t1, (s2)
amoadd.w.rl a0, t1, (s2)
amoadd.w.aqrl a0, t1, (s2)
amoadd.d a0, t1, (s2)
amoadd.d.aq a0, t1, (s2)
amoadd.d.rl a0, t1, (s2)
amoadd.d.aqrl a0, t1, (s2)
amoswap.w a0, t1, (s2)
amoswap.w.aq a0, t1, (s2)
amoswap.w.rl a0, t1, (s2)
amoswap.w.aqrl a0, t1, (s2)
amoswap.d a0, t1, (s2)
amoswap.d.aq a0, t1, (s2)
amoswap.d.rl a0, t1, (s2)
amoswap.d.aqrl a0, t1, (s2)
amoxor.w a0, t1, (s2)
amoxor.w.aq a0, t1, (s2)
amoxor.w.rl a0, t1, (s2)
amoxor.w.aqrl a0, t1, (s2)
amoxor.d a0, t1, (s2)
amoxor.d.aq a0, t1, (s2)
amoxor.d.rl a0, t1, (s2)
amoxor.d.aqrl a0, t1, (s2)
amoor.w a0, t1, (s2)
amoor.w.aq a0, t1, (s2)
amoor.w.rl a0, t1, (s2)
amoor.w.aqrl a0, t1, (s2)
amoor.d a0, t1, (s2)
amoor.d.aq a0, t1, (s2)
amoor.d.rl a0, t1, (s2)
amoor.d.aqrl a0, t1, (s2)
amoand.w a0, t1, (s2)
amoand.w.aq a0, t1, (s2)
amoand.w.rl a0, t1, (s2)
amoand.w.aqrl a0, t1, (s2)
amoand.d a0, t1, (s2)
amoand.d.aq a0, t1, (s2)
amoand.d.rl a0, t1, (s2)
amoand.d.aqrl a0, t1, (s2)
amomin.w a0, t1, (s2)
amomin.w.aq a0, t1, (s2)
amomin.w.rl a0, t1, (s2)
amomin.w.aqrl a0, t1, (s2)
amomin.d a0, t1, (s2)
amomin.d.aq a0, t1, (s2)
amomin.d.rl a0, t1, (s2)
amomin.d.aqrl a0, t1, (s2)
amomax.w a0, t1, (s2)
amomax.w.aq a0, t1, (s2)
amomax.w.rl a0, t1, (s2)
amomax.w.aqrl a0, t1, (s2)
amomax.d a0, t1, (s2)
amomax.d.aq a0, t1, (s2)
amomax.d.rl a0, t1, (s2)
amomax.d.aqrl a0, t1, (s2)
amominu.w a0, t1, (s2)
amominu.w.aq a0, t1, (s2)
amominu.w.rl a0, t1, (s2)
amominu.w.aqrl a0, t1, (s2)
amominu.d a0, t1, (s2)
amominu.d.aq a0, t1, (s2)
amominu.d.rl a0, t1, (s2)
amominu.d.aqrl a0, t1, (s2)
amomaxu.w a0, t1, (s2)
amomaxu.w.aq a0, t1, (s2)
amomaxu.w.rl a0, t1, (s2)
amomaxu.w.aqrl a0, t1, (s2)
amomaxu.d a0, t1, (s2)
amomaxu.d.aq a0, t1, (s2)
amomaxu.d.rl a0, t1, (s2)
amomaxu.d.aqrl a0, t1, (s2)
sc.w a0, t1, (s2)
sc.w.aq a0, t1, (s2)
sc.w.rl a0, t1, (s2)
sc.w.aqrl a0, t1, (s2)
sc.d a0, t1, (s2)
sc.d.aq a0, t1, (s2)
sc.d.rl a0, t1, (s2)
sc.d.aqrl a0, t1, (s2)
lr.w a0, (t6)
lr.w.aq a0, (t6)
lr.w.rl a0, (t6)
lr.w.aqrl a0, (t6)
lr.d a0, (t6)
lr.d.aq a0, (t6)
lr.d.rl a0, (t6)
lr.d.aqrl a0, (t6)
li t3, 0
li t3, 1
li t3, -1
li t3, 2047
li t3, -2048
li t3, 2048
li t3, -2049
li t3, 4095
li t3, 4096
li t3, 0x7ffff000
li t3, 0x7fffffff
li t3, 0x7ffff800
li t3, 0x7ffff7ff
li t3, 0x80000000
li t3, 0xffffffff
li t3, -0x80000000
li t3, -0x80000001
li t3, 0x100000000
li t3, 0x0807060504030201
li t3, 0x7fffffffffffffff
li t3, -0x8000000000000000
li t3, 0xffffffffffffffff
li t3, 0x8000000000000000
li t3, 6364136223846793005
li t3, 1442695040888963407
li t3, 0x9e3779b97f4a7c15
li t3, 0xdeadbeef
li t3, 0x1000000000
li t3, 0xfff000000000
li t3, 10000000
li t3, 0x54494d45
li t3, 'A'
li t3, '\n'
li t3, (1<<40)|5
li t3, ~7
li t3, 1 << 2 + 1
li t3, 6 | 1 * 8 - 3
li t3, -(3 + 4) * 5
li t3, 0b1010 ^ 3
li t3, 100/7*7%50
li t3, 0x7ffffffff800
la a0, .
la a0, . + 2047
la a0, . + 2048
la a0, . - 2049
la a0, . + 0x12345678
la a0, . - 0x7ffff000
.byte 'a', 'b', '(', ',', '#', '\\', '\n', 'z
.ascii "\b\f\r"
.byte 1, 2, 255, -128
.half 0xffff, -1, 0x1234
.word 0xdeadbeef, . - ., 1 << 31
.dword 0x0123456789abcdef, -1
.ascii "a, b\n\t\"q\"\\"
.asciz "x" 
.string "# not a comment"
.skip 8
