# virtio-blk in numbers (virtio 1.2, 5.2): request types, statuses, features, configuration.

.equ BLK_T_IN, 0
.equ BLK_T_OUT, 1
.equ BLK_T_FLUSH, 4
.equ BLK_T_GET_ID, 8
.equ BLK_T_DISCARD, 11
.equ BLK_T_WRITE_ZEROES, 13

.equ BLK_S_OK, 0
.equ BLK_S_IOERR, 1
.equ BLK_S_UNSUPP, 2

.equ BLK_F_SIZE_MAX, 1
.equ BLK_F_SEG_MAX, 2
.equ BLK_F_RO, 5
.equ BLK_F_BLK_SIZE, 6
.equ BLK_F_FLUSH, 9
.equ BLK_F_CONFIG_WCE, 11
.equ BLK_F_MQ, 12
.equ BLK_F_DISCARD, 13
.equ BLK_F_WRITE_ZEROES, 14

# Those this driver understands.
.equ BLOCK_LIMITS, 1 << BLK_F_SIZE_MAX | 1 << BLK_F_SEG_MAX | 1 << BLK_F_RO | 1 << BLK_F_BLK_SIZE | 1 << BLK_F_MQ
.equ BLOCK_REQUESTS, 1 << BLK_F_FLUSH | 1 << BLK_F_DISCARD | 1 << BLK_F_WRITE_ZEROES
.equ BLOCK_FEATURES, BLOCK_LIMITS | BLOCK_REQUESTS

.equ CONFIG_CAPACITY, 0x100          # as offsets of the transport's registers
.equ CONFIG_SIZE_MAX, 0x108
.equ CONFIG_SEG_MAX, 0x10c
.equ CONFIG_BLK_SIZE, 0x114
.equ CONFIG_NUM_QUEUES, 0x122

.equ ID_BYTES, 20
.equ SECTOR_SIZE, 512
