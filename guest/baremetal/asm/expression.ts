import { fail } from './error.ts';

/** A parsed constant expression. `.` is the address of the statement it stands in. */
export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/**
 * The value of an expression. `addresses` counts how many load addresses it contains: 0 for a plain
 * number, 1 for a place in the program. The difference of two labels is a plain number again, which is
 * how position-independent tables are written.
 */
export interface Value {
  readonly value: bigint;
  readonly addresses: number;
}

/** Looks a symbol up; refuses unknown ones. */
export type Scope = (name: string) => Value;

const TOKEN =
  /\s*(?:(0[xX][\da-fA-F]+|0[bB][01]+|\d+[bf]\b|\d+)|('(?:\\.|[^\\])'?)|([A-Za-z_.$][\w.$]*)|(<<|>>|[-+*/%&|^~()]))/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
  ['0', '\0'],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
]);
/** Loosest first, as GNU as has them (not C); operators of one level associate to the left. */
const PRECEDENCE = [
  ['+', '-'],
  ['|', '^', '&'],
  ['*', '/', '%', '<<', '>>'],
] as const;

/** The character a backslash escape stands for (`\n`, `\\`, `\"`, …). */
export function unescape(letter: string): string {
  return ESCAPES.get(letter) ?? fail(`unknown escape '\\${letter}'`);
}

/** Parses a whole operand as an expression. `localLabel` maps `1b` and `1f` to a unique symbol. */
export function parseExpression(text: string, localLabel: (reference: string) => string): Expression {
  let position = 0;
  let token = '';
  let sort: 'number' | 'char' | 'name' | 'operator' | 'end' = 'end';

  const advance = (): void => {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (!match) {
      if (text.slice(position).trim() !== '')
        fail(`cannot read '${text.slice(position).trim()}' in an expression`);
      sort = 'end';
      token = '';
      return;
    }
    position = TOKEN.lastIndex;
    const [, number, char, name, operator] = match;
    token = number ?? char ?? name ?? operator ?? '';
    sort = number ? 'number' : char ? 'char' : name ? 'name' : 'operator';
  };

  const primary = (): Expression => {
    const current = token;
    switch (sort) {
      case 'number':
        advance();
        if (/[bf]$/.test(current) && !/^0x/i.test(current))
          return { kind: 'symbol', name: localLabel(current) };
        if (/^0\d/.test(current)) fail(`'${current}': write octal numbers in hexadecimal`);
        return { kind: 'number', value: BigInt(current) };
      case 'char': {
        advance();
        const letter = current[1] === '\\' ? unescape(current[2] ?? '') : (current[1] ?? '');
        return { kind: 'number', value: BigInt(letter.charCodeAt(0)) };
      }
      case 'name':
        advance();
        return { kind: 'symbol', name: current };
      default:
        break;
    }
    if (current === '-' || current === '~') {
      advance();
      return { kind: 'unary', operator: current, operand: primary() };
    }
    if (current === '(') {
      advance();
      const inner = binary(0);
      if (token !== ')') fail("missing ')'");
      advance();
      return inner;
    }
    return fail(current === '' ? 'an expression is missing' : `unexpected '${current}'`);
  };

  const binary = (level: number): Expression => {
    const operators: readonly string[] | undefined = PRECEDENCE[level];
    if (!operators) return primary();
    let left = binary(level + 1);
    for (let operator = token; operators.includes(operator); operator = token) {
      advance();
      left = { kind: 'binary', operator, left, right: binary(level + 1) };
    }
    return left;
  };

  advance();
  const expression = binary(0);
  if (token !== '') fail(`unexpected '${token}'`);
  return expression;
}

/** Computes an expression; 64-bit wrap-around is the user's business, division truncates. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
      return { value: expression.value, addresses: 0 };
    case 'symbol':
      return scope(expression.name);
    case 'unary': {
      const { value, addresses } = evaluate(expression.operand, scope);
      if (addresses !== 0) fail(`'${expression.operator}' cannot be applied to an address`);
      return { value: expression.operator === '-' ? -value : ~value, addresses: 0 };
    }
    case 'binary':
      return combine(
        expression.operator,
        evaluate(expression.left, scope),
        evaluate(expression.right, scope),
      );
  }
}

function combine(operator: string, left: Value, right: Value): Value {
  const [a, b] = [left.value, right.value];
  if (operator === '+') return { value: a + b, addresses: left.addresses + right.addresses };
  if (operator === '-') return { value: a - b, addresses: left.addresses - right.addresses };
  if (left.addresses !== 0 || right.addresses !== 0) fail(`'${operator}' cannot be applied to an address`);
  return { value: arithmetic(operator, a, b), addresses: 0 };
}

function arithmetic(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '*':
      return a * b;
    case '/':
      return b === 0n ? fail('division by zero') : a / b;
    case '%':
      return b === 0n ? fail('division by zero') : a % b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      return fail(`unknown operator '${operator}'`);
  }
}
