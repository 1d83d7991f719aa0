import { quoteArg, splitArgv, splitOpts } from './argv.ts';

/** Edits of a command line's text that buttons make; what they don't touch stays as it was written. */

/** Sets the value of a plain option (`-kernel`), or adds it at the top. */
export function setOption(text: string, option: string, value: string): string {
  const split = splitArgv(text);
  if (!split.ok) return text;
  const at = split.tokens.findIndex((token) => token.value === option);
  const old = split.tokens[at + 1];
  if (at >= 0 && old !== undefined) return text.slice(0, old.start) + quoteArg(value) + text.slice(old.end);
  return `${option} ${quoteArg(value)}\n${text}`;
}

/** Takes away an option with its value, and its line when nothing else stands there. */
export function removeOption(text: string, option: string): string {
  const split = splitArgv(text);
  if (!split.ok) return text;
  const at = split.tokens.findIndex((token) => token.value === option);
  const from = split.tokens[at];
  const to = split.tokens[at + 1] ?? from;
  return from === undefined || to === undefined ? text : cut(text, from.start, to.end);
}

/** Adds a raw disk as a virtio-blk device with free ids. */
export function addDisk(text: string, file: string): string {
  const n = firstFree(text, (i) => [`drive${i}`, `disk${i}`]);
  return appendLines(text, [
    `-drive ${quoteArg(`if=none,id=drive${n},file=${file.replaceAll(',', ',,')},format=raw`)}`,
    `-device virtio-blk,id=disk${n},drive=drive${n}`,
  ]);
}

/** Adds a context with a thread of its own; returns its id as well. */
export function addContext(text: string, id: string): string {
  return appendLines(text, [`-object glib-qcontext,id=${quoteArg(id)},threaded=yes`]);
}

/** Takes away the `-object` (or `-context`) with that id. */
export function removeContext(text: string, id: string): string {
  const split = splitArgv(text);
  if (!split.ok) return text;
  for (const [i, token] of split.tokens.entries()) {
    const option = split.tokens[i - 1];
    if (option === undefined || !/^--?(object|context)$/.test(option.value)) continue;
    const parts = splitOpts(token.value);
    if (parts.includes(`id=${id}`) || (option.value.endsWith('context') && parts[0] === id)) {
      return cut(text, option.start, token.end);
    }
  }
  return text;
}

const JIT = /^jit=(on|off|true|false|yes|no|y|n)$/;

/** Whether the machine of a command line translates hot code: `-accel tcg,jit=off` is the exception. */
export function translates(text: string): boolean {
  const split = splitArgv(text);
  if (!split.ok) return true;
  const at = split.tokens.findIndex(({ value }) => /^--?accel$/.test(value));
  const jit = splitOpts(split.tokens[at + 1]?.value ?? '').find((part) => JIT.test(part));
  return at < 0 || jit === undefined || /=(on|true|yes|y)$/.test(jit);
}

/** Switches the translator of hot code on or off; what is the default is left away. */
export function setTranslates(text: string, on: boolean): string {
  const split = splitArgv(text);
  if (!split.ok) return text;
  const at = split.tokens.findIndex(({ value }) => /^--?accel$/.test(value));
  const option = split.tokens[at];
  const others = splitOpts(split.tokens[at + 1]?.value ?? 'tcg').filter((part) => !JIT.test(part));
  if (at < 0 || option === undefined) return on ? text : `-accel tcg,jit=off\n${text}`;
  if (on && others.join(',') === 'tcg') return removeOption(text, option.value);
  return setOption(text, option.value, [...others, ...(on ? [] : ['jit=off'])].join(','));
}

/** The smallest number for which none of the ids occurs in the text. */
export function firstFree(text: string, ids: (n: number) => readonly string[]): number {
  for (let n = 0; ; n++) if (!ids(n).some((id) => mentions(text, id))) return n;
}

/** Does a word stand in the command line, as an argument or as the value of a property? */
export function mentions(text: string, word: string): boolean {
  const split = splitArgv(text);
  return (
    split.ok &&
    split.tokens.some(({ value }) =>
      splitOpts(value).some((part) => part === word || part.endsWith(`=${word}`)),
    )
  );
}

/** The text without a stretch of it, nor the empty line it would leave. */
function cut(text: string, from: number, to: number): string {
  const before = text.slice(0, from).replace(/[ \t]+$/, '');
  const after = text.slice(to);
  return before + (before === '' || before.endsWith('\n') ? after.replace(/^[ \t]*\n/, '') : after);
}

const appendLines = (text: string, lines: readonly string[]): string =>
  `${text.trimEnd()}${text.trim() === '' ? '' : '\n'}${lines.join('\n')}`;
