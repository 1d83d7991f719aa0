/** Our own bug: stop loudly. Never used for a guest's or a user's mistake. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Asserts an invariant of our own code. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends a `switch` over a closed union: a new member that is not handled does not compile. */
export function assertUnreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}

/** Narrows an index access the caller knows to be in range. */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AssertionError(`${what} is undefined`);
  return value;
}
