import { err, ok, type Result } from '../../base/result.ts';
import type { JsonValue, PropertyDef, ValueError } from '../property.ts';

/** One entry of `iothread-vq-mapping`: without `vqs` the queues are dealt out in turn. */
export interface VqMappingEntry {
  readonly iothread: string;
  readonly vqs?: readonly number[];
}

/**
 * QEMU's `iothread-vq-mapping`, a list that only JSON (or the dotted form `iothread-vq-mapping.0.iothread=`)
 * can express. Either every entry lists its queues or none does.
 */
export const vqMapping = (description: string): PropertyDef<readonly VqMappingEntry[] | undefined> => ({
  type: 'IOThreadVirtQueueMappingList',
  description,
  default: undefined,
  live: false,
  required: false,
  read: readVqMapping,
  write: (value) => (value ?? []) as unknown as JsonValue,
});

function readVqMapping(name: string, raw: unknown): Result<readonly VqMappingEntry[], ValueError> {
  const bad = (desc: string) =>
    err<ValueError>({
      desc,
      hint: `For example '${name}':[{'iothread':'ctx0','vqs':[0]},{'iothread':'ctx1','vqs':[1]}]`,
    });
  if (!Array.isArray(raw)) return bad(`Invalid parameter type for '${name}', expected: array`);
  if (raw.length === 0) return bad(`Parameter '${name}' must not be empty`);
  const entries: VqMappingEntry[] = [];
  for (const [index, item] of (raw as unknown[]).entries()) {
    const at = `${name}[${index}]`;
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      return bad(`Invalid parameter type for '${at}', expected: object`);
    const { iothread, vqs, ...rest } = item as Record<string, unknown>;
    const extra = Object.keys(rest)[0];
    if (extra !== undefined) return bad(`Parameter '${at}.${extra}' is unexpected`);
    if (typeof iothread !== 'string') return bad(`Parameter '${at}.iothread' is missing`);
    if (vqs === undefined) {
      entries.push({ iothread });
      continue;
    }
    if (!Array.isArray(vqs)) return bad(`Invalid parameter type for '${at}.vqs', expected: array`);
    const numbers = vqs.map((vq: unknown) => (typeof vq === 'string' && /^\d+$/.test(vq) ? Number(vq) : vq));
    if (!numbers.every((vq): vq is number => typeof vq === 'number' && Number.isInteger(vq) && vq >= 0))
      return bad(`Parameter '${at}.vqs' expects virtqueue numbers`);
    entries.push({ iothread, vqs: numbers });
  }
  if (entries.some((entry) => entry.vqs) && entries.some((entry) => !entry.vqs))
    return bad(`Parameter '${name}': either all entries have 'vqs' or none has`);
  return ok(entries);
}

/**
 * Context id of each virtqueue. The error says which queue is missing, doubled or not there.
 */
export function placeQueues(
  numQueues: number,
  mapping: readonly VqMappingEntry[] | undefined,
  all: string,
): Result<readonly string[], ValueError> {
  if (mapping === undefined) return ok(Array.from({ length: numQueues }, () => all));
  const placed: (string | undefined)[] = Array.from({ length: numQueues });
  if (mapping.every((entry) => entry.vqs === undefined)) {
    return ok(placed.map((_, queue) => mapping[queue % mapping.length]?.iothread ?? all));
  }
  for (const entry of mapping) {
    for (const vq of entry.vqs ?? []) {
      if (vq >= numQueues)
        return err({ desc: `virtqueue ${vq} does not exist: 'num-queues' is ${numQueues}` });
      if (placed[vq] !== undefined) return err({ desc: `virtqueue ${vq} is mapped twice` });
      placed[vq] = entry.iothread;
    }
  }
  const missing = placed.indexOf(undefined);
  if (missing >= 0) return err({ desc: `virtqueue ${missing} is not mapped to an event loop` });
  return ok(placed.map((id) => id ?? all));
}
