/**
 * The shape of `build/guest/manifest.json`, which `npm run guest` writes and the page (from `/guest/`), the command
 * line and the tests read. Types only: the build is plain JavaScript.
 */

/** A piece of an image, all of the same raw length but the last. */
export interface Chunk {
  /** SHA-256 of the raw bytes, hexadecimal. */
  readonly sha256: string;
  /** Length of its compressed form; the forms follow one another from `headerBytes` on. */
  readonly gzipBytes: number;
  /** All bytes are 0: nothing needs to be written into a new file. */
  readonly zero?: true;
}

/**
 * The compressed form of an image: one ordinary gzip member. Each chunk in it is also a run of whole deflate blocks
 * that refers to nothing before it, so a download can be resumed at a chunk (as raw deflate).
 */
export interface GzipInfo {
  /** Name beside the image. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Offset of the first chunk's compressed form. */
  readonly headerBytes: number;
  /** Raw length of every chunk but the last. */
  readonly chunkBytes: number;
  readonly chunks: readonly Chunk[];
}

export interface FileInfo {
  /** Name in the directory of the manifest. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly gzip: GzipInfo;
}

export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  /** Of the .deb, or for a source package of its .dsc. */
  readonly sha256: string;
  readonly kind: 'binary' | 'source';
}

/** What kernels and disks say about how they were made. */
interface Provenance {
  /** For people. */
  readonly title: string;
  /** Hash of what it was made from, packages included. */
  readonly input: string;
  /** Hash of the scripts of a part that has its own build. */
  readonly recipe?: string;
  /** Packages of a part that has its own build; those of the default guest are in {@link Manifest.packages}. */
  readonly packages?: readonly PackageInfo[];
}

export interface Kernel extends Provenance {
  /** Key into {@link Manifest.files}: a raw kernel Image. */
  readonly image: string;
  /** Key into {@link Manifest.files}; absent when everything is built in. */
  readonly initrd?: string;
  /** Kernel command line. */
  readonly append: string;
  /** As `uname -r` prints it. */
  readonly release: string;
}

export interface Disk extends Provenance {
  /** Key into {@link Manifest.files}: a raw ext4 file system without a partition table. */
  readonly file: string;
  /** Whether fio is on it. */
  readonly fio: boolean;
}

export interface Manifest {
  readonly schema: 1;
  readonly available: true;
  /** Hash of the scripts the default guest was made by. */
  readonly sources: string;
  /** Keys of what to boot when nobody chooses: the tuned kernel where it was built. */
  readonly default: { readonly kernel: string; readonly disk: string };
  /** `stock`, and `tuned` where it was built. */
  readonly kernels: Readonly<Record<string, Kernel>>;
  /** `small`, and `minbase` where it was built. */
  readonly disks: Readonly<Record<string, Disk>>;
  readonly files: Readonly<Record<string, FileInfo>>;
  /** What the default guest was made from. */
  readonly packages: readonly PackageInfo[];
  /** What is different from a full build, and why; for people. */
  readonly notes: readonly string[];
}

/** Written where the images cannot be made. */
export interface MissingGuest {
  readonly schema: 1;
  readonly available: false;
  /** For people. */
  readonly reason: string;
}
