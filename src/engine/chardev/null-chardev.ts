import type { CharBackend, CharFrontEnd } from './chardev.ts';

/** `-chardev null`: swallows what the guest writes and has nothing to say. */
export class NullChardev implements CharBackend {
  readonly type = 'null';
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
  write(bytes: Uint8Array): number {
    return bytes.length;
  }
  setFrontEnd(_frontEnd: CharFrontEnd | null): void {}
  acceptInput(): void {}
  close(): void {}
}
