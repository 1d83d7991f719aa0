import type { AioLoop, AioTimer } from '../qcontext/aio-interface.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockErrno,
  type BlockRequest,
  type BlockRequestKind,
  type BlockResult,
} from './block-backend.ts';
import { FilterBackend } from './filter-backend.ts';

/** One injected fault, in the spirit of QEMU's `blkdebug` inject-error rules. All conditions must hold. */
export interface FaultRule {
  /** Kinds it applies to; all of them if left out. */
  readonly kinds?: readonly BlockRequestKind[];
  /** A sector the request must touch. */
  readonly sector?: number;
  /** Lets this many matching requests pass first. */
  readonly after?: number;
  /** Applies once and is spent. */
  readonly once?: boolean;
  /** The outcome instead of the real one; the request does not reach the child. */
  readonly errno?: BlockErrno;
  /** Holds the request back for this long; with `Infinity` until `releaseHeld` or a drain. */
  readonly delayNs?: number;
}

interface ActiveRule {
  readonly rule: FaultRule;
  seen: number;
}

interface HeldRequest {
  readonly request: BlockRequest;
  readonly errno: BlockErrno | undefined;
  readonly timer: AioTimer | undefined;
}

/** Injects faults and delays into another backend, for tests and for showing what a failing disk does. */
export class BlkdebugBackend extends FilterBackend {
  #rules: ActiveRule[];
  readonly #held = new Set<HeldRequest>();
  #aio: AioLoop | undefined;

  constructor(nodeName: string, child: BlockBackend, rules: readonly FaultRule[] = []) {
    super(nodeName, child);
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  /** Replaces the rules; what is held already stays so. */
  setRules(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  override async attach(aio: AioLoop): Promise<BlockResult> {
    const result = await super.attach(aio);
    if (result === BLK_OK) this.#aio = aio;
    return result;
  }

  override submit(request: BlockRequest): void {
    this.begin();
    const rule = this.#match(request);
    if (rule?.delayNs === undefined) {
      this.#go(request, rule?.errno);
      return;
    }
    const aio = this.#aio as AioLoop;
    const timer =
      rule.delayNs === Infinity
        ? undefined
        : aio.timerNew(`blkdebug ${this.nodeName}`, () => this.#release(held));
    const held: HeldRequest = { request, errno: rule.errno, timer };
    this.#held.add(held);
    timer?.modNs(aio.nowNs() + rule.delayNs);
  }

  /** Lets go of all that is held. */
  override releaseHeld(): void {
    for (const held of this.#held) this.#release(held);
  }
  /** Requests held back now. */
  get held(): number {
    return this.#held.size;
  }

  #release(held: HeldRequest): void {
    if (!this.#held.delete(held)) return;
    held.timer?.del();
    this.#go(held.request, held.errno);
  }

  #go(request: BlockRequest, errno: BlockErrno | undefined): void {
    if (errno === undefined) this.pass(request);
    else this.finish(request, errno);
  }

  #match(request: BlockRequest): FaultRule | undefined {
    for (const active of this.#rules) {
      const { rule } = active;
      if (rule.kinds && !rule.kinds.includes(request.kind)) continue;
      if (rule.sector !== undefined) {
        const at = rule.sector * 512;
        if (at + 512 <= request.offset || at >= request.offset + request.bytes) continue;
      }
      active.seen += 1;
      if (active.seen <= (rule.after ?? 0)) continue;
      if (rule.once) this.#rules = this.#rules.filter((other) => other !== active);
      return rule;
    }
    return undefined;
  }
}
