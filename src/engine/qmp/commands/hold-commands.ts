import { ok, userError } from '../../base/result.ts';
import { boolean, integer, optional, string } from '../arguments.ts';
import { type Command, command, nothing } from '../command.ts';

/** What an event must be about, of breakpoints and of steps until one. */
const FILTER = {
  device: optional(string),
  queue: optional(integer),
  request: optional(integer),
};

/** Callbacks a step may dispatch, by its unit. */
const STEP_LIMITS: ReadonlyMap<string, number> = new Map([
  ['dispatch', 1],
  ['iteration', Infinity],
]);

/** Ours: one event loop dispatches nothing while the machine goes on, is stepped, and stops at breakpoints. */
export const HOLD_COMMANDS: readonly Command[] = [
  command('x-context-hold', { id: string, enable: boolean }, async ({ model }, { id, enable }) =>
    // Its end must not stand in line: what is under way may be waiting for it.
    nothing(enable ? await model.exclusive(() => model.ops.holdContext(id)) : model.ops.releaseContext(id)),
  ),
  command(
    'x-context-step',
    { id: string, unit: optional(string), event: optional(string), ...FILTER },
    async ({ model }, { id, unit = 'dispatch', event, ...filter }) => {
      if (unit === 'request') return nothing(model.ops.stepRequest(id, filter.request));
      if (unit === 'until') {
        if (event === undefined) return userError("Parameter 'event' is missing");
        return nothing(model.ops.stepUntil(id, { event, ...filter }));
      }
      const limit = STEP_LIMITS.get(unit);
      if (limit !== undefined) return model.ops.stepContext(id, limit);
      return userError(`Parameter 'unit' does not accept value '${unit}'`, {
        hint: 'It takes dispatch, iteration, request or until.',
      });
    },
  ),
  command('x-breakpoint-add', { event: string, context: optional(string), ...FILTER }, ({ model }, spec) => {
    const added = model.ops.breakpointAdd(spec);
    return added.ok ? ok({ id: added.value }) : added;
  }),
  command('x-breakpoint-remove', { id: integer }, ({ model }, { id }) =>
    nothing(model.ops.breakpointRemove(id)),
  ),
  command('x-query-breakpoints', {}, ({ model }) => ok(model.ops.breakpoints())),
];
