import { ok, type Result, userError } from '../base/result.ts';
import type { JsonValue } from '../qom/property.ts';

/** The type of one argument of a command, as QAPI names it. */
export interface Argument<T> {
  /** As a message says it: `string`, `integer`, `boolean`, `array`, `object`. */
  readonly expected: string;
  readonly optional: boolean;
  readonly check: (value: unknown) => value is T;
}

export type Arguments = { readonly [name: string]: Argument<unknown> };
/** The values of a command's arguments; an optional one may be undefined. */
export type ValuesOf<A extends Arguments> = {
  readonly [K in keyof A]: A[K] extends Argument<infer T> ? T : never;
};

const argument = <T>(expected: string, check: (value: unknown) => value is T): Argument<T> => ({
  expected,
  optional: false,
  check,
});

export const string = argument('string', (value): value is string => typeof value === 'string');
export const boolean = argument('boolean', (value): value is boolean => typeof value === 'boolean');
export const integer = argument('integer', (value): value is number => Number.isSafeInteger(value));
export const any = argument('any value', (value): value is JsonValue => value !== undefined);
export const stringOrNull = argument(
  'string or null',
  (value): value is string | null => value === null || typeof value === 'string',
);
export const integers = argument(
  'array of integers',
  (value): value is readonly number[] =>
    Array.isArray(value) && value.every((item) => Number.isSafeInteger(item)),
);

export const optional = <T>({ expected, check }: Argument<T>): Argument<T | undefined> => ({
  expected,
  optional: true,
  check: (value): value is T | undefined => value === undefined || check(value),
});

/** Checks the arguments of a command, with QEMU's words for what is wrong. */
export function checkArguments<A extends Arguments>(
  schema: A,
  given: Readonly<Record<string, unknown>>,
): Result<ValuesOf<A>> {
  for (const [name, { expected, optional: mayMiss, check }] of Object.entries(schema)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && !mayMiss)
      return userError(`Parameter '${name}' is missing`, { hint: takes(schema) });
    if (!check(value)) return userError(`Invalid parameter type for '${name}', expected: ${expected}`);
  }
  const extra = Object.keys(given).find((name) => !Object.hasOwn(schema, name));
  if (extra !== undefined) return userError(`Parameter '${extra}' is unexpected`, { hint: takes(schema) });
  return ok(given as ValuesOf<A>);
}

/** All that a command takes, with types; what may be left out in brackets. */
function takes(schema: Arguments): string {
  const names = Object.entries(schema).map(([name, { expected, optional: mayMiss }]) =>
    mayMiss ? `[${name}: ${expected}]` : `${name}: ${expected}`,
  );
  return names.length === 0 ? 'It takes no arguments.' : `It takes ${names.join(', ')}.`;
}
