import { type Result, ok, userError } from '../../base/result.ts';
import { type DiskFile, DiskOpenError } from '../../host.ts';
import type { SnapshotOps } from '../../qom/machine-ops.ts';
import { SNAPSHOT_TAG } from '../../qom/options/machine-options.ts';
import type { MachineParts } from '../machine-parts.ts';
import { checkFit } from './fit.ts';
import { checkSections, readDescription, readStored, type Section, SnapshotWriter } from './format.ts';
import { readHeader, type SnapshotHeader } from './header.ts';
import { type Extent, MachineState } from './machine-state.ts';

/** What only the machine itself can do for a snapshot. */
export interface SnapshotControl {
  /** Runs a change of the machine when no other is under way. */
  inTurn<T>(change: () => Promise<T>): Promise<T>;
  /**
   * Inside it: stops the guest. The function it resolves with lets it go on as before, and is told whether the
   * machine is another one since.
   */
  hold(): Promise<(restored: boolean) => Promise<void>>;
  /** An error while a context is held: the requests it has taken can't finish. */
  mayRest(): Result<void>;
  /** Nothing was ever loaded into RAM, which is all zero. */
  isFresh(): boolean;
  /** A snapshot could be read only in part: nothing makes sense any more. */
  broken(): void;
}

const SUFFIX = '.qcsnap';
/** What the folder of a machine is called that has no disk in a file. */
const NO_DISK = 'qcontext';
/** Writes this far apart give a disk different stamps (Host.diskStamp). */
const STAMP_NS = 50e6;
/** Sections deflated or inflated at a time. */
const PARALLEL = 4;
/** Copied while the guest stands; a machine with more in memory stands until its file is written. */
const COPY_BYTES = 512 * 1024 * 1024;

const detail = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Packed = Uint8Array<ArrayBuffer> | undefined;

/** A machine as it stood, copied or still standing. */
interface Captured {
  readonly header: SnapshotHeader;
  readonly extents: readonly Extent[];
  raw(extent: Extent): Packed;
}

interface Opened {
  readonly file: DiskFile;
  readonly header: SnapshotHeader;
  /** Where its sections begin. */
  readonly end: number;
}

/**
 * `savevm`, `loadvm`, `delvm`, `info snapshots`: the whole machine in one file in a folder beside its first disk.
 * Disks in files are not copied: a snapshot knows how its disks were, and goes back only to those
 * (docs/snapshots.md).
 *
 * Main context.
 */
export class Snapshots implements SnapshotOps {
  readonly #parts: MachineParts;
  readonly #control: SnapshotControl;
  readonly #state: MachineState;
  /** One command after the other: the file of a snapshot is written while the guest runs on. */
  #commands: Promise<unknown> = Promise.resolve();

  constructor(parts: MachineParts, control: SnapshotControl) {
    this.#parts = parts;
    this.#control = control;
    this.#state = new MachineState(parts);
  }

  /** Resolves when the file is whole. The guest stands only while its memory is copied. */
  save(tag: string, deflated: boolean): Promise<Result<void>> {
    return this.#inOrder(() => this.#save(tag, deflated));
  }
  load(tag: string): Promise<Result<void>> {
    return this.#inOrder(() => this.#control.inTurn(() => this.#load(tag)));
  }
  delete(tag: string): Promise<Result<void>> {
    return this.#inOrder(async () => ((await this.#remove(tag)) ? ok(undefined) : noSuch(tag)));
  }
  list(): ReturnType<SnapshotOps['list']> {
    return this.#inOrder(() => this.#list());
  }

  #inOrder<T>(command: () => Promise<T>): Promise<T> {
    const done = this.#commands.then(command);
    this.#commands = done.catch(() => {});
    return done;
  }

  // saving ----------------------------------------------------------------------------------------------

  async #save(tag: string, deflated: boolean): Promise<Result<void>> {
    if (!SNAPSHOT_TAG.test(tag)) {
      return userError(`'${tag}' is no name of a snapshot`, {
        hint: 'Letters, digits, dots, dashes and underscores, at most 64.',
      });
    }
    try {
      const captured = await this.#control.inTurn(() => this.#capture(tag, deflated));
      if (!captured.ok) return captured;
      if (captured.value !== undefined) await this.#write(tag, captured.value, deflated);
      return ok(undefined);
    } catch (error) {
      await this.#remove(tag);
      return userError(`snapshot '${tag}' cannot be saved: ${detail(error)}`);
    }
  }

  /** Copies the machine while it stands; undefined: it was too large to copy, and its file is written already. */
  async #capture(tag: string, deflated: boolean): Promise<Result<Captured | undefined>> {
    const may = this.#control.mayRest();
    if (!may.ok) return may;
    const { core } = this.#parts;
    const letGo = await this.#control.hold();
    const resting = await this.#state.rest();
    try {
      const disks = await this.#state.disks(true);
      const stamped = core.host.clock.nowNs();
      const header = this.#state.header(tag, disks, resting);
      const extents = this.#state.extents(header);
      const copied = this.#copy(extents);
      if (copied === undefined)
        await this.#write(tag, { header, extents, raw: (extent) => this.#state.capture(extent) }, deflated);
      // Whatever is written from here on gives a disk another stamp.
      while (core.host.clock.nowNs() < stamped + STAMP_NS) await core.hostAsync(core.host.macrotask());
      return ok(copied && { header, extents, raw: (extent) => copied.get(extent) });
    } finally {
      await this.#state.serveAgain(resting);
      await letGo(false);
    }
  }

  #copy(extents: readonly Extent[]): ReadonlyMap<Extent, Packed> | undefined {
    const copied = new Map<Extent, Packed>();
    let bytes = 0;
    for (const extent of extents) {
      const raw = this.#state.capture(extent);
      bytes += raw?.length ?? 0;
      if (bytes > COPY_BYTES) return undefined;
      copied.set(extent, raw);
    }
    return copied;
  }

  async #write(tag: string, { header, extents, raw: rawOf }: Captured, deflate: boolean): Promise<void> {
    const { core } = this.#parts;
    const file = await core.hostAsync(core.host.snapshots.open(this.#folder, tag + SUFFIX, 'create'));
    try {
      const writer = new SnapshotWriter(file, header);
      await inBatches(extents, async (batch) => {
        const packed = await Promise.all(
          batch.map(async (extent) => {
            const raw = rawOf(extent);
            return raw && { raw, deflated: deflate ? await core.hostAsync(core.host.deflate(raw)) : raw };
          }),
        );
        for (const [i, { name, index }] of batch.entries()) {
          const section = packed[i];
          if (section === undefined) continue;
          const { raw, deflated } = section;
          writer.section(name, index, deflated.length < raw.length ? deflated : raw, raw.length);
        }
      });
      writer.finish();
    } finally {
      file.close();
    }
  }

  // loading ---------------------------------------------------------------------------------------------

  async #load(tag: string): Promise<Result<void>> {
    const may = this.#control.mayRest();
    if (!may.ok) return may;
    const opened = await this.#open(tag);
    if (!opened.ok) return opened;
    const { file, header, end } = opened.value;
    try {
      const sections = checkSections(file, end);
      if (!sections.ok) return unusable(tag, sections.error.desc);
      const letGo = await this.#control.hold();
      const loaded = await this.#loadHeld(tag, header, file, sections.value);
      await letGo(loaded.ok);
      return loaded;
    } finally {
      file.close();
    }
  }

  /** Everything that can be refused comes before the first change. */
  async #loadHeld(
    tag: string,
    header: SnapshotHeader,
    file: DiskFile,
    sections: readonly Section[],
  ): Promise<Result<void>> {
    const fits = checkFit(header, {
      state: this.#state.digest,
      machine: this.#state.facts(),
      contexts: this.#state.contexts(),
      disks: await this.#state.disks(false),
    });
    if (!fits.ok) return unusable(tag, fits.error.desc);
    const unmoved = await this.#state.place(header);
    if (unmoved !== undefined) return unusable(tag, unmoved);
    const resting = await this.#state.rest();
    try {
      const fresh = this.#control.isFresh();
      await this.#state.resetHarts();
      await this.#restore(header, file, sections, fresh);
      await this.#state.goOn(header, resting);
      return ok(undefined);
    } catch (error) {
      // Its checksums were right, so this is our own mistake, or there is no memory left.
      this.#control.broken();
      for (const { release } of resting) release();
      return unusable(tag, detail(error));
    }
  }

  async #restore(
    header: SnapshotHeader,
    file: DiskFile,
    sections: readonly Section[],
    fresh: boolean,
  ): Promise<void> {
    const { core } = this.#parts;
    const byName = new Map(sections.map((section) => [`${section.name} ${section.index}`, section]));
    const unpack = async (section: Section): Promise<Uint8Array> => {
      const stored = readStored(file, section);
      if (section.storedBytes === section.rawBytes) return stored;
      const raw = await core.hostAsync(core.host.inflate(stored));
      if (raw.length !== section.rawBytes) throw new Error(`section ${section.name} has another length`);
      return raw;
    };
    await inBatches(this.#state.extents(header), async (batch) => {
      await Promise.all(
        batch.map(async (extent) => {
          const section = byName.get(`${extent.name} ${extent.index}`);
          const raw = section === undefined ? undefined : await unpack(section);
          this.#state.restore(extent, raw, fresh);
        }),
      );
    });
  }

  // files -----------------------------------------------------------------------------------------------

  get #folder(): string {
    const files = this.#parts.blocks
      .all()
      .flatMap(({ plan: { spec } }) =>
        spec.protocol.driver === 'file' ? [{ name: spec.protocol.filename, readOnly: spec.readOnly }] : [],
      );
    const first = files.find(({ readOnly }) => !readOnly) ?? files[0];
    return `${first?.name ?? NO_DISK}.snapshots`;
  }

  async #open(tag: string): Promise<Result<Opened>> {
    if (!SNAPSHOT_TAG.test(tag)) return noSuch(tag);
    const { core } = this.#parts;
    let file: DiskFile;
    try {
      file = await core.hostAsync(core.host.snapshots.open(this.#folder, tag + SUFFIX, 'read'));
    } catch (error) {
      if (error instanceof DiskOpenError && error.reason === 'not-found') return noSuch(tag);
      return unusable(tag, detail(error));
    }
    const read = readDescription(file);
    const header = read.ok ? readHeader(read.value.description) : undefined;
    if (read.ok && header !== undefined) return ok({ file, header, end: read.value.end });
    file.close();
    return unusable(tag, read.ok ? 'it is damaged: its description makes no sense' : read.error.desc);
  }

  async #list(): ReturnType<SnapshotOps['list']> {
    const { core } = this.#parts;
    const list: Awaited<ReturnType<SnapshotOps['list']>>[number][] = [];
    for (const name of await core.hostAsync(core.host.snapshots.names(this.#folder))) {
      const opened = name.endsWith(SUFFIX) ? await this.#open(name.slice(0, -SUFFIX.length)) : undefined;
      if (opened?.ok !== true) continue;
      const { file, header } = opened.value;
      list.push({ tag: header.tag, bytes: file.size(), date: header.date, vmClockNs: header.vmClockNs });
      file.close();
    }
    return list.toSorted((a, b) => (a.date < b.date ? -1 : 1));
  }

  async #remove(tag: string): Promise<boolean> {
    const { core } = this.#parts;
    return SNAPSHOT_TAG.test(tag) && core.hostAsync(core.host.snapshots.remove(this.#folder, tag + SUFFIX));
  }
}

const noSuch = (tag: string): Result<never> =>
  userError(`Snapshot '${tag}' does not exist`, { hint: 'info snapshots lists those there are.' });

const unusable = (tag: string, why: string): Result<never> =>
  userError(`snapshot '${tag}' cannot be loaded: ${why}`, { hint: 'Boot instead, without -loadvm.' });

async function inBatches<T>(all: readonly T[], each: (batch: readonly T[]) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += PARALLEL) await each(all.slice(i, i + PARALLEL));
}
