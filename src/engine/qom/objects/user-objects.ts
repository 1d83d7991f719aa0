import { assertUnreachable } from '../../base/assert.ts';
import { ok, type Result, userError } from '../../base/result.ts';
import { QomObject, type QomProperty } from '../object.ts';
import type { ObjectConfig } from '../options/config.ts';
import { throttleProblem } from '../options/drive-option.ts';
import { contextSpec, groupLimits } from '../options/resolve.ts';
import type { JsonValue, PropertyTable } from '../property.ts';
import { isA, OBJECT_TABLES, withDefaults } from '../types/type-registry.ts';
import type { ObjectEntry } from './entries.ts';
import type { ModelState } from './model-state.ts';
import { type ChangeHandler, StoredProperties } from './stored-properties.ts';

/** `/objects/main`, which the machine has from the start and nobody can delete. */
export function addMainContext(state: ModelState): void {
  const object = new QomObject('glib-qcontext', {
    threaded: {
      type: 'bool',
      description: "the main loop: in the machine's first thread",
      get: () => true,
    },
    ...threadId(state, 'main'),
  });
  state.container('/objects').addChild(object, 'main');
}

const threadId = (state: ModelState, id: string): Record<string, QomProperty> => ({
  'thread-id': {
    type: 'int',
    description: 'number of the thread that runs it',
    get: () => state.ops.contexts().find((context) => context.id === id)?.threadId ?? null,
  },
});

/**
 * First phase: the object is in the tree and has its properties, but does nothing yet. It can be finalized.
 */
export function createObject(state: ModelState, config: ObjectConfig): Result<ObjectEntry> {
  const { id, type } = config;
  const { children } = state.container('/objects');
  if (children.has(id))
    return userError(`attempt to add duplicate property '${id}' to object (type 'container')`, {
      hint: `Choose another id. Taken: ${[...children.keys()].join(', ')}.`,
    });
  const table: PropertyTable = OBJECT_TABLES[type];
  const values = withDefaults(table, config.props);
  const late = (name: string) => `Property '${type}.${name}' can't be changed after the object is complete`;
  const properties = new StoredProperties<PropertyTable>(table, values, late, changeHandler(state, config));
  const object = new QomObject(type, {
    ...properties.qomProperties(),
    ...(isA(type, 'qcontext') ? threadId(state, id) : {}),
  });
  state.container('/objects').addChild(object, id);
  const entry: ObjectEntry = { config, object, properties, held: [] };
  state.objects.set(id, entry);
  return ok(entry);
}

/** Second phase: the object begins to work. */
export async function completeObject(state: ModelState, entry: ObjectEntry): Promise<Result<void>> {
  const context = contextSpec(entry.config);
  if (context !== undefined) {
    const made = await state.ops.createContext(context);
    if (!made.ok) return made;
  }
  entry.properties.completed = true;
  return ok(undefined);
}

function changeHandler(state: ModelState, config: ObjectConfig): ChangeHandler {
  const { id, type } = config;
  return async (name, value): Promise<Result<JsonValue | undefined>> => {
    const values = state.objects.get(id)?.properties.values ?? {};
    const next: Record<string, unknown> = { ...values, [name]: value };
    switch (type) {
      case 'glib-qcontext':
      case 'iothread': {
        const done = await state.ops.configureContext(id, withDefaults(OBJECT_TABLES.iothread, next));
        return done.ok ? ok(undefined) : done;
      }
      case 'throttle-group':
        return setGroup(state, id, next);
      case 'rng-builtin':
      case 'rng-random':
        return ok(undefined);
      default:
        return assertUnreachable(type);
    }
  };
}

/** New limits go to every open backend of the group. */
async function setGroup(
  state: ModelState,
  id: string,
  props: Readonly<Record<string, unknown>>,
): Promise<Result<JsonValue | undefined>> {
  const limits = groupLimits([{ type: 'throttle-group', id, props } as ObjectConfig], id);
  const problem = throttleProblem(limits);
  if (problem !== undefined)
    return userError(problem.desc, problem.hint === undefined ? {} : { hint: problem.hint });
  for (const [blockId, entry] of state.blocks) {
    if (
      !entry.open ||
      entry.kind !== 'node' ||
      entry.config.driver !== 'throttle' ||
      entry.config.throttleGroup !== id
    )
      continue;
    const done = await state.ops.blockSetThrottle(blockId, limits, id);
    if (!done.ok) return done;
    entry.throttling = limits;
  }
  return ok(undefined);
}

/** `object-del`: refused while somebody uses the object, who is named. */
export async function deleteObject(state: ModelState, id: string): Promise<Result<void>> {
  const entry = state.objects.get(id);
  if (entry === undefined)
    return id === 'main'
      ? userError("object 'main' is the main loop and can not be deleted")
      : userError(`object '${id}' not found`, {
          hint: `Objects: ${[...state.objects.keys()].join(', ') || 'none'}.`,
        });
  const { users } = entry.object;
  if (users.length > 0)
    return userError(`object '${id}' is in use by ${users.join(', ')}, can not be deleted`, {
      hint: isA(entry.config.type, 'qcontext')
        ? 'Move what it runs first: qom-set PATH context main.'
        : 'Remove its users first.',
    });
  return finalizeObject(state, entry);
}

/** Ends an object, whichever phase it has reached. */
export async function finalizeObject(state: ModelState, entry: ObjectEntry): Promise<Result<void>> {
  if (entry.properties.completed && isA(entry.config.type, 'qcontext')) {
    const gone = await state.ops.deleteContext(entry.config.id);
    if (!gone.ok) return gone;
  }
  for (const release of entry.held) release();
  entry.object.unparent();
  state.objects.delete(entry.config.id);
  return ok(undefined);
}
