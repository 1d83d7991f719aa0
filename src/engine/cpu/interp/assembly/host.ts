/** Functions the surroundings provide (hart.ts). */

/** Time CSR in ticks. */
@external('host', 'time_ticks')
export declare function timeTicks(): f64;

/** Low word of a bus read; the high word and a fault come through the hart area. */
@external('host', 'mmio_read')
export declare function mmioRead(addrLo: u32, addrHi: u32, size: u32): i32;

@external('host', 'mmio_write')
export declare function mmioWrite(addrLo: u32, addrHi: u32, size: u32, lo: u32, hi: u32): void;
