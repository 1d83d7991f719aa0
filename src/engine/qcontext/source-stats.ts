import { LATENCY_BUCKETS, latencyBucket, latencyBucketStartNs } from '../base/latency-histogram.ts';

/** The sorts of things a context dispatches, as the inspector names them. */
export type SourceKind = 'fd' | 'timer' | 'bh' | 'idle' | 'aio' | 'custom';

/** Percentiles of a latency in ns; undefined where there are too few to say. */
export interface LatencyPercentiles {
  readonly n: number;
  readonly p50: number | undefined;
  /** Only from a thousand observations on. */
  readonly p99: number | undefined;
}

/** What is known of one source: plain data for the inspector. */
export interface SourceReport {
  readonly id: number;
  readonly name: string;
  readonly kind: SourceKind;
  readonly priority: number;
  readonly dispatches: number;
  /** Of an event notifier's handler: signals that were read, since the machine was made; of the same moment as the rest. */
  readonly signals?: number | undefined;
  readonly lastDispatchNs: number | undefined;
  readonly wakeToDispatch: LatencyPercentiles;
}

/** Counts one source's dispatches and how long each waited since its wake. Home thread. */
export class SourceStats {
  dispatches = 0;
  /** Time of the last dispatch on the context's clock in ns; −1 before the first. */
  lastDispatchNs = -1;
  #latencies: Uint32Array | null = null;
  #timed = 0;

  /**
   * Counts a dispatch.
   * @param latencyNs - time from the wake to this dispatch, or −1 if there was no wake to count from.
   */
  dispatched(nowNs: number, latencyNs = -1): void {
    this.dispatches++;
    this.lastDispatchNs = nowNs;
    if (latencyNs < 0) return;
    this.#latencies ??= new Uint32Array(LATENCY_BUCKETS);
    const bucket = latencyBucket(latencyNs);
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1;
    this.#timed++;
  }

  wakeToDispatch(): LatencyPercentiles {
    const n = this.#timed;
    return { n, p50: this.#quantileNs(0.5), p99: n >= 1000 ? this.#quantileNs(0.99) : undefined };
  }

  /** Upper edge of the bucket in which the quantile lies. */
  #quantileNs(q: number): number | undefined {
    if (this.#latencies === null) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.#timed));
    let seen = 0;
    for (const [bucket, count] of this.#latencies.entries()) {
      seen += count;
      if (seen >= rank) return latencyBucketStartNs(bucket + 1);
    }
    return undefined;
  }

  report(id: number, name: string, kind: SourceKind, priority: number): SourceReport {
    return {
      id,
      name,
      kind,
      priority,
      dispatches: this.dispatches,
      lastDispatchNs: this.lastDispatchNs < 0 ? undefined : this.lastDispatchNs,
      wakeToDispatch: this.wakeToDispatch(),
    };
  }
}
