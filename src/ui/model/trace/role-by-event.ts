import { TRACE, type TraceEventName } from '../../../engine/trace/schema.ts';

/** A record's event is half a word. */
const EVENTS = 0x10000;

/**
 * What records say, by event id, as small numbers for a dense switch: a row of comparisons with twenty ids would be most of
 * what a record costs. 0 for events that are not named, and those this version does not know.
 */
export function roleByEvent(roles: { readonly [N in TraceEventName]?: number }): Uint8Array {
  const table = new Uint8Array(EVENTS);
  for (const [name, role] of Object.entries(roles)) table[TRACE[name as TraceEventName]] = role;
  return table;
}
