import { literal, number, object, record, safeParse, string, type InferOutput } from 'valibot';
import { WARM_KEY } from './warm-key.ts';

/**
 * What the page knows of the snapshot the next visit may start from. It is written when the snapshot's file is
 * whole, and names that file: whatever happens in between leaves the record of the file before, or none.
 */
const WarmRecordSchema = object({
  version: literal(1),
  /** The arguments of the machine, as one string. */
  commandLine: string(),
  /** File name → size and time of the last change, of what the machine boots from. */
  bootFiles: record(string(), string()),
  /** Tag of the snapshot. */
  tag: string(),
  /** Milliseconds since 1970. */
  savedAt: number(),
  /** The end of what the guest's terminal had been sent, so that it can be shown again. */
  output: string(),
});

export type WarmRecord = InferOutput<typeof WarmRecordSchema>;

/** Where the record is kept; injected in tests. */
export type RecordStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Undefined if there is none, or storage is blocked, or it is damaged: then the machine boots. */
export function loadWarmRecord(storage: RecordStorage): WarmRecord | undefined {
  try {
    const parsed = safeParse(WarmRecordSchema, JSON.parse(storage.getItem(WARM_KEY) ?? 'null'));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined forgets it. False if storage is blocked or full. */
export function saveWarmRecord(storage: RecordStorage, warm: WarmRecord | undefined): boolean {
  try {
    if (warm === undefined) storage.removeItem(WARM_KEY);
    else storage.setItem(WARM_KEY, JSON.stringify(warm));
    return true;
  } catch {
    return false;
  }
}
