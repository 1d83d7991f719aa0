import {
  array,
  boolean,
  literal,
  number,
  object,
  optional,
  record,
  safeParse,
  string,
  variant,
  type InferOutput,
} from 'valibot';

const FileSchema = object({
  file: string(),
  bytes: number(),
  sha256: string(),
  gzip: object({
    file: string(),
    bytes: number(),
    chunkBytes: number(),
    chunks: array(object({ sha256: string(), gzipBytes: number(), zero: optional(boolean()) })),
  }),
});

const ManifestSchema = variant('available', [
  object({
    schema: literal(1),
    available: literal(true),
    default: object({ kernel: string(), disk: string() }),
    kernels: record(
      string(),
      object({ title: string(), image: string(), initrd: optional(string()), append: string() }),
    ),
    disks: record(string(), object({ title: string(), file: string(), fio: boolean() })),
    files: record(string(), FileSchema),
    notes: optional(array(string()), []),
  }),
  object({ schema: literal(1), available: literal(false), reason: string() }),
]);

/** One image this server offers: raw size and hash, and its compressed form cut into checkable chunks. */
export type GuestFile = InferOutput<typeof FileSchema>;
/** What the server's `guest/manifest.json` says there is. */
export type GuestManifest = Extract<InferOutput<typeof ManifestSchema>, { readonly available: true }>;

export type ManifestResult =
  | { readonly ok: true; readonly manifest: GuestManifest }
  | { readonly ok: false; readonly reason: string };

/** Fetches the manifest beside the page. A server without guest images is no error: there is a reason to tell. */
export async function fetchManifest(base: URL): Promise<ManifestResult> {
  let json: unknown;
  try {
    const answer = await fetch(new URL('guest/manifest.json', base), { cache: 'no-cache' });
    if (!answer.ok)
      return { ok: false, reason: 'this server has no guest images (`npm run guest` makes them)' };
    json = await answer.json();
  } catch (error) {
    return { ok: false, reason: `the list of guest images can’t be read: ${String(error)}` };
  }
  const parsed = safeParse(ManifestSchema, json);
  if (!parsed.success)
    return { ok: false, reason: 'the list of guest images is of a version this page does not know' };
  return parsed.output.available
    ? { ok: true, manifest: parsed.output }
    : { ok: false, reason: parsed.output.reason };
}
