import { TRACE_EVENTS } from '../../trace/schema.ts';
import type { ObjectModel } from '../../qom/object-model.ts';
import { creatableTypes, DEVICE_ALIASES } from '../../qom/types/type-registry.ts';
import type { HmpWord } from './hmp-command.ts';
import { HMP_COMMANDS } from './hmp-commands.ts';
import { INFO_COMMANDS } from './info.ts';

/** What the last word of an HMP line could become, sorted; the words before it are kept as they are. */
export function completeHmp(model: ObjectModel, line: string): readonly string[] {
  const words = line.trimStart().split(/\s+/);
  const typed = words.pop() ?? '';
  const [first, ...args] = words;
  const matching = (candidates: readonly string[]) =>
    [...new Set(candidates)].filter((candidate) => candidate.startsWith(typed)).toSorted();
  const commandNames = [...HMP_COMMANDS.flatMap(({ names }) => names), 'info', 'help'];
  if (first === undefined) return matching(commandNames);
  if (first === 'help' || first === '?') return args.length === 0 ? matching(commandNames) : [];
  if (first === 'info' && args.length === 0) return matching(INFO_COMMANDS.flatMap(({ names }) => names));
  const command =
    first === 'info'
      ? INFO_COMMANDS.find(({ names }) => names.includes(args[0] ?? ''))
      : HMP_COMMANDS.find(({ names }) => names.includes(first));
  const given = first === 'info' ? args.slice(1) : args;
  const word = command?.words[given.length];
  return word === undefined ? [] : matching(candidatesFor(model, word, given));
}

function candidatesFor(model: ObjectModel, word: HmpWord, given: readonly string[]): readonly string[] {
  switch (word) {
    case 'path':
      return [...model.root.subtree()].map((object) => object.path);
    case 'property': {
      const object = model.resolve(given[0] ?? '');
      return object.ok ? [...object.value.properties.keys()] : [];
    }
    case 'object-id':
      return ['main', ...model.objectIds()];
    case 'device-id':
      return model.devices().map(({ spec }) => spec.id ?? spec.qomPath);
    case 'block-id':
      return [...model.blocks().keys()];
    case 'trace-event':
      return TRACE_EVENTS.map((event) => event.name);
    case 'driver':
      return [...creatableTypes('device').map((type) => type.name), ...Object.keys(DEVICE_ALIASES)];
    case 'object-type':
      return creatableTypes('object').map((type) => type.name);
    case 'on-off':
      return ['on', 'off'];
    case 'step-unit':
      return ['dispatch', 'iteration', 'request', 'until'];
    case 'command':
      return HMP_COMMANDS.flatMap(({ names }) => names);
    case 'text':
      // The value of a property that names an event loop.
      return given[1] === 'context' || given[1] === 'iothread'
        ? ['main', ...model.contexts().map(({ id }) => id)]
        : [];
  }
}
