export { type Assembly, assemble } from './assembler.ts';
export { AssemblyError } from './error.ts';
export type { SourceFiles } from './source.ts';
