import type { GuestFile } from './manifest.ts';

/** What the page asks the image worker to do. One worker per task; ending the worker cancels it. */
export type ImageTask =
  | { readonly kind: 'fetch'; readonly name: string; readonly url: string; readonly file: GuestFile }
  | { readonly kind: 'import'; readonly name: string; readonly blob: Blob; readonly bytes: number }
  | { readonly kind: 'create'; readonly name: string; readonly bytes: number };

export type ImageReport =
  | { readonly kind: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: ImageFailure; readonly message: string };

export type ImageFailure = 'network' | 'damaged' | 'full' | 'busy' | 'io';

/** While an image is being written it has this name; whatever ends early leaves only this. */
export const partName = (name: string): string => `${name}.part`;
