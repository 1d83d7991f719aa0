import { fail } from './error.ts';
import { evaluate, type Expression, parseExpression, type Scope } from './expression.ts';
import type { Operands } from './instructions.ts';
import { csrNumber, isRegister, registerNumber } from './registers.ts';

/** An operand whose expressions are parsed, so that `1b` means the label before *this* line. */
export type ParsedOperand =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'expression'; readonly text: string; readonly expression: Expression }
  | { readonly kind: 'memory'; readonly offset: Expression; readonly base: string };

/** Parses the operands of one instruction. Register names, CSR names and fence sets stay words. */
export function parseOperands(
  texts: readonly string[],
  local: (reference: string) => string,
): ParsedOperand[] {
  return texts.map((text) => {
    if (text === '') fail('an operand is missing');
    if (isRegister(text)) return { kind: 'word', text };
    const memory = /^(.*)\(\s*(\w+)\s*\)$/s.exec(text);
    if (memory && isRegister(memory[2] ?? '')) {
      const offset = (memory[1] ?? '').trim();
      return {
        kind: 'memory',
        offset: parseExpression(offset === '' ? '0' : offset, local),
        base: memory[2] ?? '',
      };
    }
    return { kind: 'expression', text, expression: parseExpression(text, local) };
  });
}

/** Whether an operand can be the symbol of `ld rd, symbol`: an expression, not `offset(base)`. */
export function isSymbolic(operand: ParsedOperand | undefined): boolean {
  return operand?.kind === 'expression';
}

/** Reads operands for an encoder, with the final addresses known. `pc` is where the instruction stands. */
export class OperandReader implements Operands {
  readonly #operands: readonly ParsedOperand[];
  readonly #scope: Scope;
  readonly #pc: number;

  constructor(operands: readonly ParsedOperand[], scope: Scope, pc: number) {
    this.#operands = operands;
    this.#scope = scope;
    this.#pc = pc;
  }

  get count(): number {
    return this.#operands.length;
  }

  reg(index: number): number {
    return registerNumber(this.#text(index));
  }

  signed(index: number, bits: number): number {
    return checkRange(this.constant(index), -(1 << (bits - 1)), (1 << (bits - 1)) - 1);
  }

  unsigned(index: number, bits: number): number {
    return checkRange(this.constant(index), 0, 2 ** bits - 1);
  }

  target(index: number, bits: number): number {
    const distance = this.distance(index);
    const limit = 2n ** BigInt(bits - 1);
    if (distance < -limit || distance >= limit) {
      fail(`the target is ${distance} bytes away, ±${limit} are possible`);
    }
    if (distance % 2n !== 0n) fail('the target is at an odd address');
    return Number(distance);
  }

  memory(index: number): { readonly base: number; readonly offset: number } {
    const operand = this.#operand(index);
    if (operand.kind !== 'memory') fail(`expected offset(register), found '${this.#text(index)}'`);
    const offset = checkRange(this.#plain(operand.offset), -2048, 2047);
    return { base: registerNumber(operand.base), offset };
  }

  csr(index: number): number {
    const known = csrNumber(this.#text(index));
    return known ?? checkRange(this.constant(index), 0, 0xfff);
  }

  ordering(index: number): number {
    const text = this.#text(index);
    if (!/^i?o?r?w?$/.test(text) || text === '') fail(`'${text}' is not a set of i, o, r, w in this order`);
    return Array.from(text).reduce((set, letter) => set | (8 >> 'iorw'.indexOf(letter)), 0);
  }

  /** An operand that must be a plain number. */
  constant(index: number): bigint {
    const operand = this.#operand(index);
    if (operand.kind !== 'expression') fail(`expected a number, found '${this.#text(index)}'`);
    return this.#plain(operand.expression);
  }

  /** The distance in bytes from this instruction to a label. */
  distance(index: number): bigint {
    const operand = this.#operand(index);
    if (operand.kind !== 'expression') fail(`expected a label, found '${this.#text(index)}'`);
    const { value, addresses } = evaluate(operand.expression, this.#scope);
    if (addresses !== 1) fail(`expected a label, '${operand.text}' is a plain number`);
    return value - BigInt(this.#pc);
  }

  #plain(expression: Expression): bigint {
    const { value, addresses } = evaluate(expression, this.#scope);
    return addresses === 0 ? value : fail('expected a number, found an address');
  }

  #operand(index: number): ParsedOperand {
    return this.#operands[index] ?? fail(`operand ${index + 1} is missing`);
  }

  #text(index: number): string {
    const operand = this.#operand(index);
    return operand.kind === 'memory' ? `…(${operand.base})` : operand.text;
  }
}

function checkRange(value: bigint, low: number, high: number): number {
  if (value < BigInt(low) || value > BigInt(high)) fail(`${value} is out of range ${low}…${high}`);
  return Number(value);
}
