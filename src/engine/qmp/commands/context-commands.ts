import { ok, userError } from '../../base/result.ts';
import { TRACE_EVENTS } from '../../trace/schema.ts';
import { traceEventsMatching } from '../../qom/options/machine-options.ts';
import { possible } from '../../qom/options/suggest.ts';
import { OBJECT_TABLES, withDefaults } from '../../qom/types/type-registry.ts';
import { boolean, integer, optional, string, stringOrNull } from '../arguments.ts';
import { type Command, command, type CommandContext } from '../command.ts';

/** Every event loop with a thread, main first, with its polling parameters. */
export function contextInfos({ model }: Pick<CommandContext, 'model'>) {
  const objects = new Map(model.contexts().map((object) => [object.id, object]));
  return model.ops.contexts().map((status) => {
    const object = objects.get(status.id);
    const loop = withDefaults(OBJECT_TABLES.iothread, object?.props ?? {});
    return { status, type: object?.type ?? 'glib-qcontext', loop };
  });
}

type ContextInfo = ReturnType<typeof contextInfos>[number];

const iothreadInfo = ({ status, loop }: ContextInfo) => ({
  id: status.id,
  'thread-id': status.threadId,
  ...loop,
});

const contextInfo = ({ status, type, loop }: ContextInfo) => ({
  id: status.id,
  'qom-type': type,
  'qom-path': `/objects/${status.id}`,
  threaded: status.threaded,
  'thread-id': status.threadId,
  worker: status.worker,
  state: status.state,
  ...loop,
  sources: status.sources,
});

function traceNames(pattern: string, ignoreUnavailable: boolean) {
  const names = traceEventsMatching(pattern);
  if (names.length > 0 || ignoreUnavailable || /[*?]/.test(pattern)) return ok(names);
  return userError(`unknown event "${pattern}"`, {
    hint: possible(
      pattern,
      TRACE_EVENTS.map((event) => event.name),
    ),
  });
}

export const CONTEXT_COMMANDS: readonly Command[] = [
  command('query-iothreads', {}, (context) =>
    ok(
      contextInfos(context)
        .filter(({ status }) => status.id !== 'main' && status.threaded)
        .map(iothreadInfo),
    ),
  ),
  // Ours: all event loops, main included, and what is attached to them.
  command('x-query-contexts', {}, (context) => ok(contextInfos(context).map(contextInfo))),
  command(
    'x-blockdev-set-iothread',
    { 'node-name': string, iothread: stringOrNull, force: optional(boolean) },
    async ({ model }, args) => {
      const block = model.findBlock(args['node-name']);
      if (!block.ok)
        return userError(`Failed to find node with node-name='${args['node-name']}'`, {
          hint: 'query-named-block-nodes lists them.',
        });
      const user = model.blockUser(block.value.id);
      if (user === undefined)
        return userError(
          `Node '${args['node-name']}' is not used by a device: it runs where its device runs`,
          {
            hint: 'Name the context on the device: device_add …,context=ID.',
          },
        );
      return model.move(user, undefined, args.iothread ?? 'main');
    },
  ),
  command('trace-event-get-state', { name: string, vcpu: optional(integer) }, ({ model }, { name }) => {
    const names = traceNames(name, false);
    if (!names.ok) return names;
    return ok(
      names.value.map((event) => ({
        name: event,
        vcpu: false,
        state: model.ops.traceEventEnabled(event) ? 'enabled' : 'disabled',
      })),
    );
  }),
  command(
    'trace-event-set-state',
    { name: string, enable: boolean, 'ignore-unavailable': optional(boolean), vcpu: optional(integer) },
    ({ model }, args) => {
      const names = traceNames(args.name, args['ignore-unavailable'] ?? false);
      if (!names.ok) return names;
      for (const name of names.value) model.ops.setTraceEvent(name, args.enable);
      return ok({});
    },
  ),
];
