/**
 * A user's mistake (command line, QMP, file) travels as a value: what is wrong, where, and the way out.
 */
export interface UserError {
  /** QMP error class; `GenericError` unless a client is meant to tell it apart. */
  readonly class: 'GenericError' | 'CommandNotFound' | 'DeviceNotActive' | 'DeviceNotFound' | 'KVMMissingCap';
  /** One sentence: what is wrong. Names the place ("-device virtio-blk: property 'drive' …"). */
  readonly desc: string;
  /** What the user can do about it, when there is something to say. */
  readonly hint?: string;
  /** Index of the command-line argument at fault, when the error came from one. */
  readonly argIndex?: number;
  /** Byte range inside that argument, for editors. */
  readonly span?: readonly [start: number, end: number];
}

export type Result<T, E = UserError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });
/** Shorthand for the common error. */
export const userError = (
  desc: string,
  extra: Partial<UserError> = {},
): { readonly ok: false; readonly error: UserError } => ({
  ok: false,
  error: { class: 'GenericError', desc, ...extra },
});
/** One line for a console. */
export const formatUserError = (e: UserError): string =>
  e.hint === undefined ? e.desc : `${e.desc}\n  ${e.hint}`;
