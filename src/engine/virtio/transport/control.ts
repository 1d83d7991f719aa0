/**
 * Register writes that change what a device is (rather than what a queue holds) are carried out by the
 * control plane in the main context while the hart waits. A request is six plain numbers, so that it can
 * travel through a mailbox in shared memory.
 */
export const CONTROL_STATUS = 1; // value: what the driver wrote to Status; 0 is a reset
export const CONTROL_QUEUE_READY = 2; // queue, value
export const CONTROL_QUEUE_RESET = 3; // queue
export const CONTROL_CONFIG_WRITE = 4; // offset, size (1, 2 or 4), value
export type ControlOp =
  | typeof CONTROL_STATUS
  | typeof CONTROL_QUEUE_READY
  | typeof CONTROL_QUEUE_RESET
  | typeof CONTROL_CONFIG_WRITE;

export interface ControlRequest {
  readonly op: ControlOp;
  /** Slot number. */
  readonly dev: number;
  readonly queue: number;
  readonly offset: number;
  readonly size: number;
  readonly value: number;
}

/** The hart's side: returns when the control plane has done it (VirtioDevice.control). */
export type ControlCall = (request: ControlRequest) => void;
