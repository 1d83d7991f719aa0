import { possible } from '../../qom/options/suggest.ts';
import { splitCommandLine } from '../../qom/options/shell.ts';
import { type HmpCommand, type HmpContext } from './hmp-command.ts';
import { HMP_COMMANDS } from './hmp-commands.ts';
import { INFO_COMMANDS } from './info.ts';

const find = (commands: readonly HmpCommand[], name: string): HmpCommand | undefined =>
  commands.find((command) => command.names.includes(name));

const headOf = ({ names, usage }: HmpCommand, prefix = ''): string =>
  `${prefix}${names.join('|')}${usage === '' ? '' : ` ${usage}`}`;

const listing = (commands: readonly HmpCommand[], prefix: string): readonly string[] =>
  commands.map((command) => `${headOf(command, prefix)} -- ${command.help}`);

function help(topic: readonly string[]): string {
  const [name, second] = topic;
  if (name === undefined)
    return [...listing(HMP_COMMANDS, ''), 'info [topic] -- show something', 'help|? [command] -- this'].join(
      '\n',
    );
  if (name === 'info') {
    const one = second === undefined ? undefined : find(INFO_COMMANDS, second);
    return listing(one === undefined ? INFO_COMMANDS : [one], 'info ').join('\n');
  }
  const command = find(HMP_COMMANDS, name);
  return command === undefined ? unknown(name) : listing([command], '').join('\n');
}

const unknown = (text: string, names?: readonly string[]): string =>
  `unknown command: '${text}'\n${possible(text.split(' ').at(-1) ?? '', names ?? HMP_COMMANDS.flatMap((command) => command.names))}`;

/** Runs one HMP line. Resolves with what is printed, lines ended by CR LF; nothing for an empty line. */
export async function runHmp(context: HmpContext, line: string): Promise<string> {
  const printed = await dispatch(context, line);
  return printed === '' ? '' : `${printed.trimEnd().replaceAll('\n', '\r\n')}\r\n`;
}

async function dispatch(context: HmpContext, line: string): Promise<string> {
  const { words, unclosed } = splitCommandLine(line);
  if (unclosed !== undefined) return `unterminated string: ${unclosed.quote} is never closed`;
  const values = words.map((word) => word.value);
  const [name, ...rest] = values;
  if (name === undefined) return '';
  if (name === 'help' || name === '?') return help(rest);
  if (name === 'info') {
    const [topic, ...args] = rest;
    if (topic === undefined) return help(['info']);
    const command = find(INFO_COMMANDS, topic);
    if (command === undefined)
      return unknown(
        `info ${topic}`,
        INFO_COMMANDS.flatMap(({ names }) => names),
      );
    return checked(context, command, args, 'info ');
  }
  const command = find(HMP_COMMANDS, name);
  if (command === undefined) return unknown(name);
  // The last word of some commands is the rest of the line, as it is written.
  const last = command.words.length;
  const from = command.rest === true && rest.length > last ? words[last]?.start : undefined;
  return checked(
    context,
    command,
    from === undefined ? rest : [...rest.slice(0, last - 1), line.slice(from).trim()],
    '',
  );
}

async function checked(
  context: HmpContext,
  command: HmpCommand,
  args: readonly string[],
  prefix: string,
): Promise<string> {
  if (args.length < command.required || args.length > command.words.length)
    return `${args.length < command.required ? 'too few' : 'too many'} arguments: ${headOf(command, prefix)}`;
  return command.run(context, args);
}
