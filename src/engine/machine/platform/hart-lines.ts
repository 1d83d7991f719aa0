/**
 * Interrupt inputs of the harts, as devices see them. Implemented over the harts' shared words. Any thread:
 * `set` is atomic, idempotent, and wakes the hart when a line it did not have goes up.
 */
export interface HartLines {
  /**
   * @param hart index of the hart
   * @param bit one mip bit: MIP_MSIP, MIP_SEIP or MIP_MEIP
   */
  set(hart: number, bit: number, level: boolean): void;
}

/** Level of an interrupt source of the PLIC. Any thread. */
export interface IrqLine {
  set(level: boolean): void;
}
