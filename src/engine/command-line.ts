/**
 * Command lines for editors: reading, completing, comparing and editing them as text. Apart from index.ts so
 * that a page loads it when the first editor is shown, not before. Any thread; no effects.
 */
export { completeCommandLine, type Candidate, type Completion } from './qom/options/complete.ts';
export { diffCommandLine, type CommandLineChange, type QmpCommand } from './qom/options/diff.ts';
export { type CommandLine, parseCommandLine } from './qom/options/parse.ts';
export { spanInText, splitCommandLine, type SplitCommandLine } from './qom/options/shell.ts';
export type { MachineConfig } from './qom/options/config.ts';
