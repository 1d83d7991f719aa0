/**
 * Branded units: a number that carries its unit in its type, so that an address in guest physical
 * space can't be passed where an offset into the shared memory is meant.
 */
declare const unit: unique symbol;
type Brand<T, Name extends string> = T & { readonly [unit]: Name };

/** A guest physical address (RAM starts at 0x8000_0000 on the `virt` board). Exact up to 2^53. */
export type GuestAddr = Brand<number, 'GuestAddr'>;
/** A byte offset into the machine's one shared memory. */
export type MemAddr = Brand<number, 'MemAddr'>;
/** Nanoseconds on the machine's monotonic host clock (all threads agree within about 10 µs). */
export type Ns = Brand<number, 'Ns'>;
/** A 512-byte sector number, as virtio-blk counts. */
export type Sector = Brand<number, 'Sector'>;
/** Index of a context in the shared context table; 0 is `main`. */
export type ContextIndex = Brand<number, 'ContextIndex'>;

export const guestAddr = (n: number): GuestAddr => n as GuestAddr;
export const memAddr = (n: number): MemAddr => n as MemAddr;
export const ns = (n: number): Ns => n as Ns;
export const sector = (n: number): Sector => n as Sector;
export const contextIndex = (n: number): ContextIndex => n as ContextIndex;

/** Bytes per virtio-blk sector (virtio 1.2, 5.2: always 512, whatever `blk_size` says). */
export const SECTOR_BYTES = 512;
export const KiB = 1024;
export const MiB = 1024 * 1024;
export const GiB = 1024 * 1024 * 1024;
