/**
 * Pseudo-instructions that are plain rewrites, by name and number of operands; `$0`, `$1`, … are the
 * operands as written. Those that depend on a value (`li`, `la`, loads and stores of a symbol) are in
 * `wide.ts`.
 */
const REWRITES: Readonly<Record<string, readonly string[]>> = {
  'nop/0': ['addi zero, zero, 0'],
  'mv/2': ['addi $0, $1, 0'],
  'not/2': ['xori $0, $1, -1'],
  'neg/2': ['sub $0, zero, $1'],
  'negw/2': ['subw $0, zero, $1'],
  'sext.w/2': ['addiw $0, $1, 0'],
  'zext.b/2': ['andi $0, $1, 255'],
  'zext.h/2': ['slli $0, $1, 48', 'srli $0, $0, 48'],
  'zext.w/2': ['slli $0, $1, 32', 'srli $0, $0, 32'],
  'sext.b/2': ['slli $0, $1, 56', 'srai $0, $0, 56'],
  'sext.h/2': ['slli $0, $1, 48', 'srai $0, $0, 48'],
  'seqz/2': ['sltiu $0, $1, 1'],
  'snez/2': ['sltu $0, zero, $1'],
  'sltz/2': ['slt $0, $1, zero'],
  'sgtz/2': ['slt $0, zero, $1'],

  'beqz/2': ['beq $0, zero, $1'],
  'bnez/2': ['bne $0, zero, $1'],
  'blez/2': ['bge zero, $0, $1'],
  'bgez/2': ['bge $0, zero, $1'],
  'bltz/2': ['blt $0, zero, $1'],
  'bgtz/2': ['blt zero, $0, $1'],
  'bgt/3': ['blt $1, $0, $2'],
  'ble/3': ['bge $1, $0, $2'],
  'bgtu/3': ['bltu $1, $0, $2'],
  'bleu/3': ['bgeu $1, $0, $2'],

  // The program is far smaller than the ±1 MiB a JAL reaches, so calls never need the AUIPC form.
  'j/1': ['jal zero, $0'],
  'jal/1': ['jal ra, $0'],
  'call/1': ['jal ra, $0'],
  'tail/1': ['jal zero, $0'],
  'jr/1': ['jalr zero, 0($0)'],
  'jalr/1': ['jalr ra, 0($0)'],
  'ret/0': ['jalr zero, 0(ra)'],

  'csrr/2': ['csrrs $0, $1, zero'],
  'csrw/2': ['csrrw zero, $0, $1'],
  'csrs/2': ['csrrs zero, $0, $1'],
  'csrc/2': ['csrrc zero, $0, $1'],
  'csrwi/2': ['csrrwi zero, $0, $1'],
  'csrsi/2': ['csrrsi zero, $0, $1'],
  'csrci/2': ['csrrci zero, $0, $1'],
  'rdcycle/1': ['csrrs $0, cycle, zero'],
  'rdtime/1': ['csrrs $0, time, zero'],
  'rdinstret/1': ['csrrs $0, instret, zero'],
  'fence/0': ['fence iorw, iorw'],
  'sfence.vma/0': ['sfence.vma zero, zero'],
};

/** The base instructions a pseudo-instruction stands for, or undefined where it is none. */
export function rewrite(mnemonic: string, operands: readonly string[]): string[] | undefined {
  return REWRITES[`${mnemonic}/${operands.length}`]?.map((template) =>
    template.replace(/\$(\d)/g, (_, index: string) => operands[Number(index)] ?? ''),
  );
}

/** Every name with a rewrite, for telling an unknown mnemonic from a wrong number of operands. */
export const PSEUDO_NAMES: ReadonlySet<string> = new Set(
  Object.keys(REWRITES).map((key) => key.slice(0, key.indexOf('/'))),
);
