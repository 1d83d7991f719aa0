import type { TracedRequest } from './request-log.ts';

/** Places for ids; more than the requests a disk usually has in flight. A power of two. */
const PLACES = 4096;

/** Of one queue's requests the low nine bits are the same, the others count (`requestId` of the virtqueue). */
const placeOf = (req: number): number => ((req >>> 9) + (req & 511) * 521) & (PLACES - 1);

/**
 * Requests under way by their id, which is asked for with nearly every record: an id says its place. Two that
 * want the same place are both kept, the older one in a map.
 */
export class OpenRequests {
  readonly #places = Array.from<TracedRequest | undefined>({ length: PLACES });
  readonly #displaced = new Map<number, TracedRequest>();

  add(request: TracedRequest): void {
    const place = placeOf(request.req);
    const other = this.#places[place];
    if (other !== undefined && other.req !== request.req) this.#displaced.set(other.req, other);
    this.#places[place] = request;
  }

  get(req: number): TracedRequest | undefined {
    const found = this.#places[placeOf(req)];
    if (found?.req === req) return found;
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(req);
  }

  delete(req: number): void {
    const place = placeOf(req);
    if (this.#places[place]?.req === req) this.#places[place] = undefined;
    if (this.#displaced.size > 0) this.#displaced.delete(req);
  }
}
