# SHA-256 (FIPS 180-4): 32-bit rotations, sums and long dependencies, as cryptography is.

.macro rotate_right to, from, count, scratch
    srliw   \scratch, \from, \count
    slliw   \to, \from, 32 - \count
    or      \to, \to, \scratch
.endm

.section .rodata
.balign 8
sha256_constants:               # the cube roots of the first 64 primes, their first 32 fraction bits
    .word   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1
    .word   0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3
    .word   0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786
    .word   0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
    .word   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147
    .word   0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13
    .word   0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b
    .word   0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
    .word   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a
    .word   0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208
    .word   0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
sha256_initial:                 # the square roots of the first 8 primes
    .word   0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a
    .word   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
sha256_block_abc:               # the message "abc", padded to one block
    .byte   'a', 'b', 'c', 0x80
    .skip   59
    .byte   24
sha256_of_abc:
    .word   0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223
    .word   0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad
.text

# Hashes the one-block message "abc" a0 times. Answers a0 = 1 if the digest was right each time.
cpu_sha256:
    enter4
    mv      s0, a0
    li      s1, 1
1:  la      t0, sha256_initial
    la      t1, sha256_state
    ld      t2, 0(t0)
    sd      t2, 0(t1)
    ld      t2, 8(t0)
    sd      t2, 8(t1)
    ld      t2, 16(t0)
    sd      t2, 16(t1)
    ld      t2, 24(t0)
    sd      t2, 24(t1)
    la      a0, sha256_block_abc
    call    sha256_compress
    la      t0, sha256_of_abc
    la      t1, sha256_state
    li      t4, 4
2:  ld      t2, 0(t0)
    ld      t3, 0(t1)
    beq     t2, t3, 3f
    li      s1, 0
3:  addi    t0, t0, 8
    addi    t1, t1, 8
    addi    t4, t4, -1
    bnez    t4, 2b
    addi    s0, s0, -1
    bnez    s0, 1b
    mv      a0, s1
    leave4

# Mixes the 64 bytes at a0 into sha256_state.
sha256_compress:
    enter12
    la      t6, sha256_schedule
    addi    t5, t6, 64
1:  lbu     t0, 0(a0)           # the message is big-endian
    lbu     t1, 1(a0)
    lbu     t2, 2(a0)
    lbu     t3, 3(a0)
    slliw   t0, t0, 24
    slliw   t1, t1, 16
    slliw   t2, t2, 8
    or      t0, t0, t1
    or      t2, t2, t3
    or      t0, t0, t2
    sw      t0, 0(t6)
    addi    a0, a0, 4
    addi    t6, t6, 4
    bltu    t6, t5, 1b
    addi    t5, t5, 192
2:  lw      t0, -60(t6)         # w[i-15]
    rotate_right t1, t0, 7, t4
    rotate_right t2, t0, 18, t4
    srliw   t0, t0, 3
    xor     t1, t1, t2
    xor     t1, t1, t0
    lw      t0, -8(t6)          # w[i-2]
    rotate_right t2, t0, 17, t4
    rotate_right t3, t0, 19, t4
    srliw   t0, t0, 10
    xor     t2, t2, t3
    xor     t2, t2, t0
    lw      t0, -64(t6)         # w[i-16]
    lw      t3, -28(t6)         # w[i-7]
    addw    t1, t1, t2
    addw    t0, t0, t3
    addw    t0, t0, t1
    sw      t0, 0(t6)
    addi    t6, t6, 4
    bltu    t6, t5, 2b

    la      a0, sha256_state    # s0..s7 are a..h
    lw      s0, 0(a0)
    lw      s1, 4(a0)
    lw      s2, 8(a0)
    lw      s3, 12(a0)
    lw      s4, 16(a0)
    lw      s5, 20(a0)
    lw      s6, 24(a0)
    lw      s7, 28(a0)
    addi    t6, t6, -256
    la      a1, sha256_constants
3:  rotate_right t0, s4, 6, t4
    rotate_right t1, s4, 11, t4
    rotate_right t2, s4, 25, t4
    xor     t0, t0, t1
    xor     t0, t0, t2
    xor     t1, s5, s6          # choose: e ? f : g
    and     t1, t1, s4
    xor     t1, t1, s6
    lw      t2, 0(a1)
    lw      t3, 0(t6)
    addw    t0, t0, t1
    addw    t2, t2, t3
    addw    t0, t0, s7
    addw    t0, t0, t2
    rotate_right t1, s0, 2, t4
    rotate_right t2, s0, 13, t4
    rotate_right t3, s0, 22, t4
    xor     t1, t1, t2
    xor     t1, t1, t3
    or      t2, s0, s1          # majority of a, b, c
    and     t2, t2, s2
    and     t3, s0, s1
    or      t2, t2, t3
    addw    t1, t1, t2
    mv      s7, s6
    mv      s6, s5
    mv      s5, s4
    addw    s4, s3, t0
    mv      s3, s2
    mv      s2, s1
    mv      s1, s0
    addw    s0, t0, t1
    addi    a1, a1, 4
    addi    t6, t6, 4
    bltu    t6, t5, 3b

    lw      t0, 0(a0)
    addw    t0, t0, s0
    sw      t0, 0(a0)
    lw      t0, 4(a0)
    addw    t0, t0, s1
    sw      t0, 4(a0)
    lw      t0, 8(a0)
    addw    t0, t0, s2
    sw      t0, 8(a0)
    lw      t0, 12(a0)
    addw    t0, t0, s3
    sw      t0, 12(a0)
    lw      t0, 16(a0)
    addw    t0, t0, s4
    sw      t0, 16(a0)
    lw      t0, 20(a0)
    addw    t0, t0, s5
    sw      t0, 20(a0)
    lw      t0, 24(a0)
    addw    t0, t0, s6
    sw      t0, 24(a0)
    lw      t0, 28(a0)
    addw    t0, t0, s7
    sw      t0, 28(a0)
    leave12

.bss
.balign 8
sha256_state:   .skip 32
sha256_schedule: .skip 256
.text
