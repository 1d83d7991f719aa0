/**
 * The command line as text: split into arguments as a POSIX shell would (quotes, backslash, line continuation,
 * `#` comments), and written back with one option per line. No expansion of any kind.
 */
export interface ArgvToken {
  readonly value: string;
  /** Where it stands in the text, quotes included. */
  readonly start: number;
  readonly end: number;
}

export type SplitResult =
  | { readonly ok: true; readonly tokens: readonly ArgvToken[] }
  | { readonly ok: false; readonly message: string; readonly start: number };

const SPACE = /\s/;

/** Splits text into arguments. Fails only on a quote that is never closed. */
export function splitArgv(text: string): SplitResult {
  const tokens: ArgvToken[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (SPACE.test(c)) at++;
    else if (c === '\\' && text.charAt(at + 1) === '\n') at += 2;
    else if (c === '#') while (at < text.length && text.charAt(at) !== '\n') at++;
    else {
      const start = at;
      let value = '';
      while (at < text.length && !SPACE.test(text.charAt(at))) {
        const ch = text.charAt(at);
        if (ch === "'" || ch === '"') {
          const open = at++;
          while (at < text.length && text.charAt(at) !== ch) {
            if (ch === '"' && text.charAt(at) === '\\' && /["\\$`]/.test(text.charAt(at + 1))) at++;
            value += text.charAt(at++);
          }
          if (at >= text.length) return { ok: false, message: `This ${ch} is never closed.`, start: open };
          at++;
        } else if (ch === '\\') {
          if (text.charAt(at + 1) !== '\n') value += text.charAt(at + 1);
          at += 2;
        } else {
          value += ch;
          at++;
        }
      }
      tokens.push({ value, start, end: Math.min(at, text.length) });
    }
  }
  return { ok: true, tokens };
}

/** Quotes one argument so that `splitArgv` gives it back. */
export function quoteArg(arg: string): string {
  if (arg !== '' && /^[\w@%+=:,./~-]+$/.test(arg)) return arg;
  return `'${arg.replaceAll("'", `'\\''`)}'`;
}

/** One option with its value per line: the form the page shows. */
export function formatArgv(argv: readonly string[]): string {
  const lines: string[] = [];
  for (const arg of argv) {
    const previous = lines.at(-1);
    if (!arg.startsWith('-') && previous?.startsWith('-') === true && !previous.includes(' ')) {
      lines[lines.length - 1] = `${previous} ${quoteArg(arg)}`;
    } else lines.push(quoteArg(arg));
  }
  return lines.join('\n');
}

/** Splits `type,key=value,…` at single commas; a doubled comma is a literal one. */
export function splitOpts(opts: string): string[] {
  const parts: string[] = [''];
  for (let i = 0; i < opts.length; i++) {
    if (opts[i] !== ',') parts[parts.length - 1] += opts.charAt(i);
    else if (opts[i + 1] === ',') {
      parts[parts.length - 1] += ',,';
      i++;
    } else parts.push('');
  }
  return parts;
}

/** One argument of a command line replaced by another, in place: comments and line breaks stay. */
export interface ArgvEdit {
  readonly text: string;
  /** The option before and after, for a diff. */
  readonly before: string;
  readonly after: string;
}

/**
 * The command line that would make a machine with the device in the other context: sets `context=` (or the
 * `iothread=` it already uses) of its `-device`. Undefined when the device has no argument of its own.
 */
export function withContext(text: string, deviceId: string, context: string): ArgvEdit | undefined {
  return editDevice(text, deviceId, (parts) => {
    const at = parts.findIndex((part) => /^(context|iothread)=/.test(part));
    // No placement means `main`: nothing to write.
    if (at < 0) return context === 'main' ? undefined : [...parts, `context=${context}`];
    return parts.with(at, `${parts[at]?.split('=')[0] ?? 'context'}=${context}`);
  });
}

/** The same for any option of a `-device`: sets or adds it. Undefined when the device has no argument of its own. */
export function withDeviceOption(
  text: string,
  deviceId: string,
  option: string,
  value: string,
): ArgvEdit | undefined {
  return editDevice(text, deviceId, (parts) => {
    const at = parts.findIndex((part) => part.startsWith(`${option}=`));
    return at < 0 ? [...parts, `${option}=${value}`] : parts.with(at, `${option}=${value}`);
  });
}

function editDevice(
  text: string,
  deviceId: string,
  edit: (parts: string[]) => string[] | undefined,
): ArgvEdit | undefined {
  const split = splitArgv(text);
  if (!split.ok) return undefined;
  for (const [i, token] of split.tokens.entries()) {
    if (split.tokens[i - 1]?.value !== '-device') continue;
    const parts = splitOpts(token.value);
    if (!parts.includes(`id=${deviceId}`)) continue;
    const after = edit(parts)?.join(',');
    if (after === undefined) return undefined;
    return {
      text: text.slice(0, token.start) + quoteArg(after) + text.slice(token.end),
      before: `-device ${token.value}`,
      after: `-device ${after}`,
    };
  }
  return undefined;
}
