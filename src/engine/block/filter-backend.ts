import type { AioLoop } from '../qcontext/aio-interface.ts';
import type { BlockBackend, BlockRequest, BlockResult } from './block-backend.ts';

/**
 * A backend on top of another, which may hold requests back, change their outcome or refuse them. It counts
 * what it holds as in flight; subclasses say what happens in `submit`.
 */
export abstract class FilterBackend implements BlockBackend {
  readonly nodeName: string;
  readonly child: BlockBackend;
  onResize: (() => void) | undefined;
  #inFlight = 0;
  #drained: (() => void)[] = [];

  constructor(nodeName: string, child: BlockBackend) {
    this.nodeName = nodeName;
    this.child = child;
    child.onResize = () => this.onResize?.();
  }

  get bytes(): number {
    return this.child.bytes;
  }
  get readOnly(): boolean {
    return this.child.readOnly;
  }
  get canDiscard(): boolean {
    return this.child.canDiscard;
  }
  get inFlight(): number {
    return this.#inFlight;
  }

  attach(aio: AioLoop): Promise<BlockResult> {
    return this.child.attach(aio);
  }
  detach(durable = true): Promise<BlockResult> {
    return this.child.detach(durable);
  }
  plug(): void {
    this.child.plug();
  }
  unplug(): void {
    this.child.unplug();
  }
  resize(bytes: number): Promise<BlockResult> {
    return this.child.resize(bytes);
  }

  drain(done: () => void): void {
    this.releaseHeld();
    if (this.#inFlight === 0)
      done(); // B8
    else this.#drained.push(done);
  }

  abstract submit(request: BlockRequest): void;
  /** Lets everything go that is held back: a drain waits for it. */
  protected abstract releaseHeld(): void;

  /** Counts a request in; each is followed by exactly one `finish`. */
  protected begin(): void {
    this.#inFlight += 1; // B2
  }

  /** Hands a counted request to the child and finishes it with the child's result. */
  protected pass(request: BlockRequest): void {
    const { kind, offset, bytes, iov, mayUnmap, id, dev, followed } = request;
    this.child.submit({
      kind,
      offset,
      bytes,
      iov,
      mayUnmap,
      id,
      dev,
      followed,
      complete: (result) => this.finish(request, result),
    });
  }

  /** Completes a counted request and counts it out. */
  protected finish(request: BlockRequest, result: BlockResult): void {
    request.complete(result); // B1
    this.#inFlight -= 1;
    if (this.#inFlight > 0 || this.#drained.length === 0) return;
    const drained = this.#drained;
    this.#drained = [];
    for (const done of drained) done();
  }
}
