import type { Port } from '../base/rpc.ts';
import type { Result } from '../base/result.ts';
import type { QmpEvent, VmEnd } from '../vm.ts';
import type { BoardDirectory } from './board.ts';

/** What the supervising thread (page, Node main) asks of the main context. */
export interface MainService {
  /** One QMP command, past negotiation. */
  qmp(execute: string, args: Readonly<Record<string, unknown>> | undefined): Promise<Result<unknown>>;
  /** One HMP line; what a monitor would print. */
  hmp(line: string): Promise<string>;
  completeHmp(line: string): readonly string[] | Promise<readonly string[]>;
  /** Bytes typed at the terminal behind chardev `id`. */
  serialInput(id: string, bytes: Uint8Array): void;
  /** It has shown that many bytes: the guest may go on writing. */
  serialShown(id: string, count: number): void;
  /** The other end of a new context's control port. */
  contextStarted(index: number, port: Port): void;
  /** Its worker could not be started; there is none. */
  contextFailed(index: number, message: string): void;
}

/** What the main context asks of the supervising thread. */
export interface SupervisorService {
  /** Starts a worker for context `index`; its port comes by `contextStarted`. */
  startContext(index: number, id: string): void;
  /** The context has closed its disks and left its loop: the worker may go. */
  contextGone(index: number): void;
  directory(directory: BoardDirectory): void;
  /** Bytes for the terminal behind chardev `id`. */
  serialOutput(id: string, bytes: Uint8Array): void;
  event(event: QmpEvent): void;
  /** A trace name was given a number by a thread. */
  traceName(thread: number, id: number, kind: string, name: string): void;
  /** The machine is up: configured, its devices in place, running unless `-S`. Or it could not be made. */
  ready(result: Result<void>): void;
  /** It is over; all threads have let go of their disks. */
  ended(end: VmEnd): void;
}
