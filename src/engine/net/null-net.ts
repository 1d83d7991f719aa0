import type { NetBackend, NetFrontEnd } from './net-backend.ts';

/** A card without a netdev: the cable is not plugged in, frames go nowhere. */
export class NullNet implements NetBackend {
  readonly type = 'none';
  readonly linkUp = false;
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
  send(_frame: Uint8Array): boolean {
    return true;
  }
  setFrontEnd(_frontEnd: NetFrontEnd | null): void {}
  acceptFrames(): void {}
  close(): void {}
}
