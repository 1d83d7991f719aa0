import { AssemblyError, diagnostic, fail, type SourceLocation, StatementError } from './error.ts';
import { evaluate, parseExpression, type Scope } from './expression.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { isSymbolic, OperandReader, type ParsedOperand, parseOperands } from './operands.ts';
import { PSEUDO_NAMES, rewrite } from './pseudo.ts';
import { isRegister } from './registers.ts';
import { parseString, readSource, type SourceFiles, splitFirst, splitOperands } from './source.ts';
import { SECTIONS, type SectionName, SymbolTable } from './symbols.ts';
import { loadAddress, loadImmediate, loadSymbol, storeSymbol } from './wide.ts';

/** An assembled program. It holds no absolute address, so it runs wherever it is loaded. */
export interface Assembly {
  /** The bytes to load; the first instruction is the entry point. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** Bytes of zero-initialised memory the program uses after its image. */
  readonly bssSize: number;
  /** Every label with its offset from the load address. */
  readonly labels: ReadonlyMap<string, number>;
}

/** A run of bytes with a fixed size, whose content is known once all labels have addresses. */
interface Fragment {
  readonly at: SourceLocation;
  readonly section: SectionName;
  readonly offset: number;
  readonly encode: (scope: Scope, pc: number) => ArrayLike<number>;
}

const SECTION_ALIGNMENT = 16;
const MAX_DIAGNOSTICS = 20;
const LOADS: Readonly<Record<string, number>> = { lb: 0, lh: 1, lw: 2, ld: 3, lbu: 4, lhu: 5, lwu: 6 };
const STORES: Readonly<Record<string, number>> = { sb: 0, sh: 1, sw: 2, sd: 3 };
const DATA: Readonly<Record<string, number>> = {
  '.byte': 1,
  '.half': 2,
  '.word': 4,
  '.dword': 8,
  '.quad': 8,
};

/**
 * Assembles RV64IMA_Zicsr_Zifencei source in the syntax of GNU as.
 *
 * Two passes: the first gives every statement its size and every label its place, the second encodes.
 * Sections are laid out in the order of {@link SECTIONS}, each aligned to 16 bytes.
 *
 * @param entry the file to begin with
 * @param files all source files by the name `.include` uses
 * @throws AssemblyError listing every mistake as `file:line: message`
 */
export function assemble(entry: string, files: SourceFiles): Assembly {
  return new Assembler().run(entry, files);
}

class Assembler {
  readonly #symbols = new SymbolTable();
  readonly #sizes = new Map<SectionName, number>(SECTIONS.map((name) => [name, 0]));
  readonly #fragments: Fragment[] = [];
  readonly #diagnostics: string[] = [];
  #section: SectionName = '.text';
  /** The offset inside a `.struct`, whose labels are constants; undefined in a section. */
  #structOffset: bigint | undefined;
  #at: SourceLocation = { file: '', line: 0 };

  run(entry: string, files: SourceFiles): Assembly {
    for (const { text, at } of readSource(entry, files, (where, message) => this.#report(where, message))) {
      this.#at = at;
      this.#guard(at, () => this.#line(text));
    }
    const bases = this.#place();
    const image = new Uint8Array(bases.get('.bss') ?? 0);
    for (const fragment of this.#fragments) {
      const pc = (bases.get(fragment.section) ?? 0) + fragment.offset;
      const scope: Scope = (name) =>
        name === '.' ? { value: BigInt(pc), addresses: 1 } : this.#symbols.resolve(name, bases);
      this.#guard(fragment.at, () => image.set(fragment.encode(scope, pc), pc));
    }
    if (this.#diagnostics.length > 0) throw new AssemblyError(this.#diagnostics.slice(0, MAX_DIAGNOSTICS));
    return { image, bssSize: this.#sizes.get('.bss') ?? 0, labels: this.#symbols.labels(bases) };
  }

  #place(): Map<SectionName, number> {
    const bases = new Map<SectionName, number>();
    let next = 0;
    for (const name of SECTIONS) {
      next = alignUp(next, SECTION_ALIGNMENT);
      bases.set(name, next);
      next += this.#sizes.get(name) ?? 0;
    }
    return bases;
  }

  #guard(at: SourceLocation, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      this.#report(at, error.message);
    }
  }

  #report(at: SourceLocation, message: string): void {
    this.#diagnostics.push(diagnostic(at, message));
  }

  #line(text: string): void {
    let rest = text;
    for (;;) {
      const label = /^([A-Za-z_.$][\w.$]*|\d+):\s*/.exec(rest);
      if (!label) break;
      this.#defineLabel(label[1] ?? '');
      rest = rest.slice(label[0].length);
    }
    if (rest === '') return;
    const [word, operands] = splitFirst(rest);
    if (word.startsWith('.')) this.#directive(word, operands);
    else this.#instruction(word, splitOperands(operands));
  }

  #defineLabel(name: string): void {
    this.#symbols.define(
      name,
      this.#structOffset === undefined
        ? { kind: 'label', section: this.#section, offset: this.#sizes.get(this.#section) ?? 0 }
        : { kind: 'constant', value: this.#structOffset },
    );
  }

  #directive(name: string, text: string): void {
    const width = DATA[name];
    if (width !== undefined) return this.#data(width, splitOperands(text));
    switch (name) {
      case '.text':
      case '.data':
      case '.bss':
        return this.#enterSection(name);
      case '.section':
        return this.#enterSection(splitOperands(text)[0] ?? '');
      case '.struct':
        this.#structOffset = this.#constant(text);
        return;
      case '.equ':
      case '.set': {
        const [symbol = '', value = ''] = splitOperands(text);
        return this.#symbols.define(symbol, { kind: 'constant', value: this.#constant(value) });
      }
      case '.ascii':
        return splitOperands(text).forEach((literal) => this.#bytes(parseString(literal)));
      case '.asciz':
      case '.string':
        return splitOperands(text).forEach((literal) => this.#bytes([...parseString(literal), 0]));
      case '.skip':
      case '.space':
      case '.zero':
        return this.#skip(this.#constant(text));
      case '.balign':
        return this.#align(this.#constant(text));
      case '.align':
      case '.p2align':
        return this.#align(1n << this.#constant(text));
      case '.globl':
      case '.global':
      case '.type':
      case '.size':
      case '.option':
        return; // The program is one unit: nothing to export, nothing to relax.
      default:
        return fail(`unknown directive '${name}'`);
    }
  }

  #enterSection(name: string): void {
    const section = SECTIONS.find((candidate) => candidate === name);
    if (!section) fail(`unknown section '${name}'; there are ${SECTIONS.join(', ')}`);
    this.#section = section;
    this.#structOffset = undefined;
  }

  #skip(count: bigint): void {
    if (count < 0n || count > 1n << 30n) fail(`cannot skip ${count} bytes`);
    if (this.#structOffset !== undefined) this.#structOffset += count;
    else this.#reserve(Number(count));
  }

  #align(alignment: bigint): void {
    if (alignment < 1n || alignment > 65536n || (alignment & (alignment - 1n)) !== 0n) {
      fail(`${alignment} is not a power of two up to 65536`);
    }
    const offset = this.#structOffset ?? BigInt(this.#sizes.get(this.#section) ?? 0);
    if (alignment > SECTION_ALIGNMENT && this.#structOffset === undefined) {
      fail(`sections are aligned to ${SECTION_ALIGNMENT} bytes, ${alignment} cannot be promised`);
    }
    this.#skip(-offset & (alignment - 1n));
  }

  #data(width: number, texts: readonly string[]): void {
    if (texts.length === 0) fail('data is missing');
    for (const text of texts) {
      const expression = parseExpression(text, this.#symbols.local);
      this.#append(width, (scope) => {
        const { value, addresses } = evaluate(expression, scope);
        if (addresses !== 0)
          fail('an absolute address would tie the program to one place: store a difference of labels');
        const bits = width * 8;
        if (BigInt.asIntN(bits, value) !== value && BigInt.asUintN(bits, value) !== value) {
          fail(`${value} does not fit ${bits} bits`);
        }
        return littleEndian(value, width);
      });
    }
  }

  #bytes(bytes: readonly number[]): void {
    this.#append(bytes.length, () => bytes);
  }

  #instruction(mnemonic: string, texts: readonly string[]): void {
    if (this.#structOffset !== undefined || this.#section !== '.text') fail('instructions belong into .text');
    const base = rewrite(mnemonic, texts);
    if (base) {
      for (const line of base) {
        const [word, rest] = splitFirst(line);
        this.#instruction(word, splitOperands(rest));
      }
      return;
    }
    const encoder = INSTRUCTIONS.get(mnemonic);
    if (mnemonic === 'li') return this.#loadImmediate(texts);
    if (!encoder && mnemonic !== 'la' && mnemonic !== 'lla') {
      fail(
        PSEUDO_NAMES.has(mnemonic)
          ? `'${mnemonic}' does not take ${texts.length} operands`
          : `unknown instruction '${mnemonic}'`,
      );
    }
    const operands = this.#parse(mnemonic, texts);
    const wide = symbolAccess(mnemonic, operands);
    if (wide) this.#append(8, (scope, pc) => words(wide(new OperandReader(operands, scope, pc))));
    else if (encoder)
      this.#append(4, (scope, pc) => words([encoder(new OperandReader(operands, scope, pc))]));
  }

  #parse(mnemonic: string, texts: readonly string[]): ParsedOperand[] {
    if (mnemonic === 'fence') return texts.map((text) => ({ kind: 'word', text }));
    return parseOperands(texts, this.#symbols.local);
  }

  /** `li` has as many instructions as its value needs, so the value must be known in the first pass. */
  #loadImmediate(texts: readonly string[]): void {
    const [register = '', value = ''] = texts;
    if (texts.length !== 2 || !isRegister(register)) fail("'li' takes a register and a number");
    const reader = new OperandReader(
      parseOperands([register], this.#symbols.local),
      () => fail('no symbol'),
      0,
    );
    const encoded = loadImmediate(reader.reg(0), this.#constant(value));
    this.#append(encoded.length * 4, () => words(encoded));
  }

  #constant(text: string): bigint {
    const { value, addresses } = evaluate(parseExpression(text, this.#symbols.local), (name) =>
      name === '.' && this.#structOffset !== undefined
        ? { value: this.#structOffset, addresses: 0 }
        : this.#symbols.constant(name),
    );
    return addresses === 0 ? value : fail('a plain number is needed');
  }

  #append(size: number, encode: Fragment['encode']): void {
    if (this.#structOffset !== undefined) fail('a .struct holds no data, only .skip');
    if (this.#section === '.bss') fail('.bss holds no data, only .skip');
    this.#fragments.push({ at: this.#at, section: this.#section, offset: this.#reserve(size), encode });
  }

  /** Makes room in the current section; the image is zero where nothing is written. */
  #reserve(size: number): number {
    const offset = this.#sizes.get(this.#section) ?? 0;
    this.#sizes.set(this.#section, offset + size);
    return offset;
  }
}

/** The two-instruction forms: `la`, and loads and stores that name a symbol instead of `offset(base)`. */
function symbolAccess(
  mnemonic: string,
  operands: readonly ParsedOperand[],
): ((reader: OperandReader) => number[]) | undefined {
  if (mnemonic === 'la' || mnemonic === 'lla') return (o) => loadAddress(o.reg(0), o.distance(1));
  const loadFunct3 = LOADS[mnemonic];
  if (loadFunct3 !== undefined && operands.length === 2 && isSymbolic(operands[1])) {
    return (o) => loadSymbol(loadFunct3, o.reg(0), o.distance(1));
  }
  const storeFunct3 = STORES[mnemonic];
  if (storeFunct3 !== undefined && operands.length === 3 && isSymbolic(operands[1])) {
    return (o) => storeSymbol(storeFunct3, o.reg(0), o.reg(2), o.distance(1));
  }
  return undefined;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function littleEndian(value: bigint, width: number): number[] {
  return Array.from({ length: width }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function words(encoded: readonly number[]): number[] {
  return encoded.flatMap((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24]);
}
