import { Bytes } from './bytes.ts';
import { control, type ValueType } from './opcodes.ts';

/** A local variable's index. */
export type Local = number;
/** A place to branch to: the nesting depth its block was opened at. */
export type Label = number;
/** Whether a conditional branch is taken, as engines may be told (the section `metadata.code.branch_hint`). */
export type Hint = 'likely' | 'unlikely';

/**
 * The body of one function, written in the order of the binary format, so that an emitter reads like
 * assembly: `code.get(a).get(b).op(i64.add).set(c)`. It keeps track of nesting and locals and of
 * nothing else; the engine validates the result.
 */
export class Code {
  readonly #bytes = new Bytes();
  readonly #locals: ValueType[] = [];
  readonly #hints: { readonly at: number; readonly hint: Hint }[] = [];
  readonly #params: number;
  #depth = 0;

  constructor(params: readonly ValueType[]) {
    this.#params = params.length;
  }

  get size(): number {
    return this.#bytes.length;
  }

  local(type: ValueType): Local {
    return this.#params + this.#locals.push(type) - 1;
  }

  /** The function as the code section wants it: size, locals, instructions. */
  finish(into: Bytes): void {
    const head = this.#head();
    into.unsigned(head.length + this.#bytes.length + 1);
    into.append(head.view());
    into.append(this.#bytes.view());
    into.byte(control.end);
  }

  /** The function's branch hints: their number, and for each the place in the function, a length and the hint. */
  finishHints(into: Bytes): void {
    const head = this.#head().length;
    into.unsigned(this.#hints.length);
    for (const { at, hint } of this.#hints) {
      into.unsigned(head + at);
      into.byte(1);
      into.byte(hint === 'likely' ? 1 : 0);
    }
  }

  get hinted(): boolean {
    return this.#hints.length > 0;
  }

  /** The declaration of locals. */
  #head(): Bytes {
    const head = new Bytes();
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    head.unsigned(runs.length);
    for (const { type, count } of runs) {
      head.unsigned(count);
      head.byte(type);
    }
    return head;
  }

  // ── Values ──

  op(...opcodes: readonly number[]): this {
    for (const opcode of opcodes) this.#bytes.byte(opcode);
    return this;
  }

  get(local: Local): this {
    this.#bytes.byte(control.localGet);
    this.#bytes.unsigned(local);
    return this;
  }

  set(local: Local): this {
    this.#bytes.byte(control.localSet);
    this.#bytes.unsigned(local);
    return this;
  }

  tee(local: Local): this {
    this.#bytes.byte(control.localTee);
    this.#bytes.unsigned(local);
    return this;
  }

  i32(value: number): this {
    this.#bytes.byte(control.i32Const);
    this.#bytes.signed(value | 0);
    return this;
  }

  i64(value: number): this {
    this.#bytes.byte(control.i64Const);
    this.#bytes.signed(value);
    return this;
  }

  f64(value: number): this {
    this.#bytes.byte(control.f64Const);
    this.#bytes.f64(value);
    return this;
  }

  /** A vector operation; `lane` for those that take one. */
  simd(opcode: number, lane?: number): this {
    this.#bytes.byte(control.simdPrefix);
    this.#bytes.unsigned(opcode);
    if (lane !== undefined) this.#bytes.byte(lane);
    return this;
  }

  // ── Memory: the address is on the stack, `offset` is added to it ──

  /** A load or store that promises nothing about alignment. */
  mem(opcode: number, offset = 0): this {
    this.#bytes.byte(opcode);
    this.#bytes.byte(0);
    this.#bytes.unsigned(offset);
    return this;
  }

  /** An atomic access of 2^log2Size bytes, aligned. */
  atomic(opcode: number, log2Size: number, offset = 0): this {
    this.#bytes.byte(control.atomicPrefix);
    this.#bytes.byte(opcode);
    this.#bytes.byte(log2Size);
    this.#bytes.unsigned(offset);
    return this;
  }

  atomicFence(): this {
    return this.op(control.atomicPrefix, 0x03, 0x00);
  }

  // ── Control ──

  #open(opcode: number, type: number): Label {
    this.#bytes.byte(opcode);
    this.#bytes.byte(type);
    return ++this.#depth;
  }

  /** `br` to its label leads behind its end. */
  block(): Label {
    return this.#open(control.block, control.empty);
  }

  /** `br` to its label leads to its beginning. */
  loop(): Label {
    return this.#open(control.loop, control.empty);
  }

  #hint(hint: Hint | undefined): void {
    if (hint !== undefined) this.#hints.push({ at: this.#bytes.length, hint });
  }

  /** @param hint how likely the condition is not 0 */
  if(result?: ValueType, hint?: Hint): Label {
    this.#hint(hint);
    return this.#open(control.if, result ?? control.empty);
  }

  else(): this {
    return this.op(control.else);
  }

  end(): this {
    this.#depth--;
    return this.op(control.end);
  }

  br(label: Label): this {
    this.#bytes.byte(control.br);
    this.#bytes.unsigned(this.#depth - label);
    return this;
  }

  /** @param hint how likely the branch is taken */
  brIf(label: Label, hint?: Hint): this {
    this.#hint(hint);
    this.#bytes.byte(control.brIf);
    this.#bytes.unsigned(this.#depth - label);
    return this;
  }

  brTable(labels: readonly Label[], otherwise: Label): this {
    this.#bytes.byte(control.brTable);
    this.#bytes.unsigned(labels.length);
    for (const label of labels) this.#bytes.unsigned(this.#depth - label);
    this.#bytes.unsigned(this.#depth - otherwise);
    return this;
  }

  call(functionIndex: number): this {
    this.#bytes.byte(control.call);
    this.#bytes.unsigned(functionIndex);
    return this;
  }

  unreachable(): this {
    return this.op(control.unreachable);
  }
}
