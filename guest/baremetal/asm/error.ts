/** Where a line of assembly came from. Inside a macro, `line` is the line of the call. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
}

/** One mistake in the source, without its place: the assembler adds that when it catches it. */
export class StatementError extends Error {}

/** Everything that was wrong with a program, one `file:line: message` per line. */
export class AssemblyError extends Error {
  readonly diagnostics: readonly string[];

  constructor(diagnostics: readonly string[]) {
    super(diagnostics.join('\n'));
    this.name = 'AssemblyError';
    this.diagnostics = diagnostics;
  }
}

/** Formats a diagnostic the way editors and terminals recognise. */
export function diagnostic(at: SourceLocation, message: string): string {
  return `${at.file}:${at.line}: ${message}`;
}

/** Refuses the current statement. */
export function fail(message: string): never {
  throw new StatementError(message);
}
