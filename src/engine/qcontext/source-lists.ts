import type { QSource } from './qsource.ts';

/** The sources of one priority, in the order in which they are looked at. */
interface SourceList {
  readonly priority: number;
  head: QSource | null;
  tail: QSource | null;
}

/**
 * All sources of a context, ordered by priority (a lower number comes first), then by attachment.
 * A child source stands immediately before its parent (G6). The links are fields of the source, so
 * adding and removing cost nothing but the search for the priority's list.
 */
export class SourceLists {
  readonly #lists: SourceList[] = [];
  /** Sources linked, unlinked and passed, and priorities compared: what the time all this takes is linear in (G23). */
  steps = 0;

  add(source: QSource): void {
    const list = this.#listFor(source.priority);
    const parent = source.parent;
    const prev = parent === null ? list.tail : parent.prev;
    source.prev = prev;
    source.next = parent;
    if (prev === null) list.head = source;
    else prev.next = source;
    if (parent === null) list.tail = source;
    else parent.prev = source;
  }

  remove(source: QSource): void {
    const at = this.#search(source.priority);
    const list = this.#lists[at];
    if (list === undefined || list.priority !== source.priority) return;
    const { prev, next } = source;
    if (prev === null) list.head = next;
    else prev.next = next;
    if (next === null) list.tail = prev;
    else next.prev = prev;
    source.prev = null;
    source.next = null;
    if (list.head === null) this.#lists.splice(at, 1);
  }

  /** The first source of all, or null. */
  first(): QSource | null {
    return this.#lists[0]?.head ?? null;
  }

  /** The source after `source`, which must be in the lists; null at the end. */
  after(source: QSource): QSource | null {
    if (source.next !== null) {
      this.steps++;
      return source.next;
    }
    const at = this.#search(source.priority);
    const here = this.#lists[at];
    const next = this.#lists[here !== undefined && here.priority === source.priority ? at + 1 : at];
    return next?.head ?? null;
  }

  /** Index of the first list whose priority is not lower than `priority`. */
  #search(priority: number): number {
    let low = 0;
    let high = this.#lists.length;
    this.steps++;
    while (low < high) {
      this.steps++;
      const mid = (low + high) >>> 1;
      const list = this.#lists[mid];
      if (list !== undefined && list.priority < priority) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  #listFor(priority: number): SourceList {
    const at = this.#search(priority);
    const found = this.#lists[at];
    if (found !== undefined && found.priority === priority) return found;
    const list: SourceList = { priority, head: null, tail: null };
    this.#lists.splice(at, 0, list);
    return list;
  }
}
