import { createStore, type StoreApi } from 'zustand/vanilla';
import { say } from '../announcer.ts';
import { bytes } from '../format.ts';
import { type Problem, problemFromUnknown } from '../problem.ts';
import { IMAGE_NAME, type ImageStore, type StoredImage } from './image-store.ts';
import type { GuestManifest } from './manifest.ts';

export interface ImagesState {
  readonly images: readonly StoredImage[];
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly persisted: boolean;
  /** What is being written now. */
  readonly task:
    | { readonly label: string; readonly doneBytes: number; readonly totalBytes: number }
    | undefined;
  readonly problem: Problem | undefined;
}

/** Smallest unit a disk comes in: virtio-blk counts sectors of 512 bytes. */
const SECTOR = 512;

/** The Images panel's state and actions; one task at a time. */
export class ImagesModel {
  readonly store: StoreApi<ImagesState>;
  readonly manifest: GuestManifest | undefined;
  readonly #images: ImageStore;
  readonly #base: URL;
  #aborter: AbortController | undefined;

  constructor(images: ImageStore, manifest: GuestManifest | undefined, base: URL) {
    this.#images = images;
    this.manifest = manifest;
    this.#base = base;
    this.store = createStore<ImagesState>(() => ({
      images: [],
      usedBytes: 0,
      quotaBytes: 0,
      persisted: false,
      task: undefined,
      problem: undefined,
    }));
  }

  async refresh(): Promise<void> {
    const [images, usage, persisted] = await Promise.all([
      this.#images.list(),
      this.#images.usage(),
      navigator.storage.persisted(),
    ]);
    this.store.setState({ images, ...usage, persisted });
  }

  /** What is wrong with a name for a new image; undefined when it will do. */
  nameProblem(name: string): string | undefined {
    if (name === '') return undefined;
    if (!IMAGE_NAME.test(name)) return 'Letters, digits, dot, plus, minus and underscore, up to 64';
    if (name.endsWith('.part')) return 'Names in .part are kept for images being written';
    if (this.#taken(name)) return 'There is an image of that name';
    return undefined;
  }

  async create(name: string, size: number): Promise<void> {
    await this.#task(`Creating ${name}`, size, () => this.#images.create(name, size));
  }

  /** A fresh copy of an image the server offers; replaces one of that name. */
  async fetch(file: string, name: string): Promise<void> {
    const offered = this.manifest?.files[file];
    if (offered === undefined) return;
    await this.#task(`Creating ${name}`, offered.bytes, (progress, signal) =>
      this.#images.fetch(name, offered, this.#base, progress, signal),
    );
  }

  async import(file: File): Promise<void> {
    const name = this.#freeName(file.name);
    const odd = file.size % SECTOR;
    await this.#task(`Importing ${name}`, file.size, (progress, signal) =>
      this.#images.import(name, file, progress, signal),
    );
    if (
      odd !== 0 &&
      this.store.getState().problem === undefined &&
      /\.(img|raw|ext\d|iso|qcow2)$/i.test(name)
    ) {
      this.store.setState({
        problem: {
          title: `${name} is not a whole number of sectors`,
          detail: `It has ${file.size} bytes: ${odd} more than a multiple of ${SECTOR}. As a disk it would be refused; as a kernel or initrd it is fine.`,
          hint: 'Raw disk images have a size divisible by 512. Compressed or qcow2 images must be converted to raw first.',
          ways: ['dismiss'],
        },
      });
    }
  }

  async delete(name: string): Promise<void> {
    await this.#task(`Deleting ${name}`, 0, () => this.#images.delete(name));
  }

  /** Hands the image to the browser as a download. */
  async export(name: string): Promise<void> {
    const file = await this.#images.file(name);
    if (file === undefined) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  async persist(): Promise<void> {
    const persisted = await this.#images.persist();
    this.store.setState({ persisted });
    say(
      persisted
        ? 'The browser will keep the images'
        : 'The browser declined; it may clear images when room is short',
    );
  }

  cancel(): void {
    this.#aborter?.abort();
  }

  dismiss(): void {
    this.store.setState({ problem: undefined });
  }

  /** The file's own name made fit for a command line and unlike those there are. */
  #freeName(wish: string): string {
    const clean =
      wish
        .replace(/[^\w.+-]+/g, '-')
        .replace(/^[^\w]+/, '')
        .slice(0, 56) || 'image';
    if (!this.#taken(clean)) return clean;
    for (let n = 2; ; n++) {
      const name = clean.includes('.') ? clean.replace(/\.(?=[^.]*$)/, `-${n}.`) : `${clean}-${n}`;
      if (!this.#taken(name)) return name;
    }
  }

  /** Here already, or the name of what the server offers, which a download would put in its place. */
  #taken(name: string): boolean {
    return (
      this.store.getState().images.some((image) => image.name === name) ||
      this.manifest?.files[name] !== undefined
    );
  }

  async #task(
    label: string,
    totalBytes: number,
    run: (progress: (done: number, total: number) => void, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.store.getState().task !== undefined) return;
    const aborter = new AbortController();
    this.#aborter = aborter;
    this.store.setState({ task: { label, doneBytes: 0, totalBytes }, problem: undefined });
    try {
      await run(
        (doneBytes, total) => this.store.setState({ task: { label, doneBytes, totalBytes: total } }),
        aborter.signal,
      );
      say(`${label}: done${totalBytes > 0 ? `, ${bytes(totalBytes)}` : ''}`);
    } catch (error) {
      if (!aborter.signal.aborted)
        this.store.setState({
          problem: { ...problemFromUnknown(error, `${label} failed`, ['dismiss']), ways: ['dismiss'] },
        });
    } finally {
      this.store.setState({ task: undefined });
      await this.refresh();
    }
  }
}

/** "256 MiB", "1G", "512": bytes, in whole sectors; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const factor =
    { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }[match[2]?.toLowerCase() ?? ''] ?? 1;
  const size = Math.floor(Number(match[1]) * factor);
  return size > 0 && size % SECTOR === 0 && size <= 2 ** 42 ? size : undefined;
}
