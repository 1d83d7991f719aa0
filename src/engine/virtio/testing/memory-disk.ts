import { assert } from '../../base/assert.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockRequest,
  type BlockResult,
  EINVAL,
  EROFS,
} from '../../block/block-backend.ts';
import type { AioLoop } from '../../qcontext/aio-interface.ts';

/**
 * A disk in an array, with a test's hands on it: it answers at once or when told, in any order, and fails
 * where it is asked to.
 */
export class MemoryDisk implements BlockBackend {
  readonly nodeName = 'memory-disk';
  readonly readOnly: boolean;
  canDiscard = true;
  data: Uint8Array;
  onResize: (() => void) | undefined;
  /** Hold requests until `finish`. */
  manual = false;
  /** Asked before each request is carried out; anything but BLK_OK is its outcome. */
  fault: (request: BlockRequest) => BlockResult = () => BLK_OK;
  /** Kind, offset and bytes of every request, in order of submission. */
  readonly log: { kind: BlockRequest['kind']; offset: number; bytes: number }[] = [];
  readonly held: BlockRequest[] = [];
  plugs = 0;
  inFlight = 0;
  #drained: (() => void)[] = [];
  readonly #mem: SharedMemory;

  constructor(mem: SharedMemory, bytes: number, readOnly = false) {
    this.#mem = mem;
    this.data = new Uint8Array(bytes);
    this.readOnly = readOnly;
  }

  get bytes(): number {
    return this.data.length;
  }
  attach(_aio: AioLoop): Promise<BlockResult> {
    return Promise.resolve(BLK_OK);
  }
  detach(): Promise<BlockResult> {
    return Promise.resolve(BLK_OK);
  }
  plug(): void {
    this.plugs += 1;
  }
  unplug(): void {}

  submit(request: BlockRequest): void {
    const moves = request.kind === 'read' || request.kind === 'write';
    assert(request.iov.bytes === (moves ? request.bytes : 0), 'memory disk: list and length differ');
    this.inFlight += 1;
    this.log.push({ kind: request.kind, offset: request.offset, bytes: request.bytes });
    if (this.manual) this.held.push(request);
    else this.#carryOut(request);
  }

  /** Completes the held request number `index`. */
  finish(index = 0): void {
    const [request] = this.held.splice(index, 1);
    if (request !== undefined) this.#carryOut(request);
  }
  /** Completes everything held, the last submitted first. */
  finishAll(): void {
    while (this.held.length > 0) this.finish(this.held.length - 1);
  }

  drain(done: () => void): void {
    if (this.inFlight === 0) done();
    else this.#drained.push(done);
  }

  resize(bytes: number): Promise<BlockResult> {
    const data = new Uint8Array(bytes);
    data.set(this.data.subarray(0, bytes));
    this.data = data;
    this.onResize?.();
    return Promise.resolve(BLK_OK);
  }

  #carryOut(request: BlockRequest): void {
    request.complete(this.#result(request));
    this.inFlight -= 1;
    if (this.inFlight === 0) for (const done of this.#drained.splice(0)) done();
  }

  #result(request: BlockRequest): BlockResult {
    const failure = this.fault(request);
    if (failure !== BLK_OK) return failure;
    const { kind, offset, bytes, iov } = request;
    if (kind === 'flush') return BLK_OK;
    if (offset + bytes > this.bytes) return EINVAL;
    if (kind !== 'read' && this.readOnly) return EROFS;
    if (kind === 'read') iov.copyFrom(this.#mem, this.data.subarray(offset, offset + bytes));
    else if (kind === 'write') iov.copyTo(this.#mem, this.data.subarray(offset, offset + bytes));
    else this.data.fill(0, offset, offset + bytes);
    return BLK_OK;
  }
}
