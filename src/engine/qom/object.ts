import { assert } from '../base/assert.ts';
import { ok, type Result, userError } from '../base/result.ts';
import type { JsonValue } from './property.ts';

/** A property of a live object, as `qom-get` and `qom-set` see it. Values are JSON. */
export interface QomProperty {
  readonly type: string;
  readonly description?: string;
  readonly get?: () => JsonValue | Promise<JsonValue>;
  /** Sets it; what it resolves with is the reply of `qom-set` (nothing for most). */
  readonly set?: (value: unknown) => Promise<Result<JsonValue | undefined>>;
}

/**
 * An object in the composition tree: its parent owns it, its path is its name. Whoever depends on it holds a
 * reference and is named when it can't be deleted. Lives on the thread of context `main`.
 */
export class QomObject {
  readonly type: string;
  readonly properties = new Map<string, QomProperty>();
  readonly #children = new Map<string, QomObject>();
  readonly #users: string[] = [];
  #parent: QomObject | undefined;
  #name = '';

  constructor(type: string, properties: Readonly<Record<string, QomProperty>> = {}) {
    this.type = type;
    for (const [name, property] of Object.entries(properties)) this.properties.set(name, property);
  }

  get parent(): QomObject | undefined {
    return this.#parent;
  }
  get name(): string {
    return this.#name;
  }
  get children(): ReadonlyMap<string, QomObject> {
    return this.#children;
  }

  /** The canonical path; `/` for the root. */
  get path(): string {
    if (this.#parent === undefined) return '/';
    const above = this.#parent.path;
    return above === '/' ? `/${this.#name}` : `${above}/${this.#name}`;
  }

  /**
   * Makes `child` a child. A name that ends in `[*]` takes the lowest free number; without a name it is
   * `unnamed[N]`. The name must be free: properties and children share one namespace.
   */
  addChild<T extends QomObject>(child: T, name = 'unnamed[*]'): T {
    const free = name.endsWith('[*]') ? this.#numbered(name.slice(0, -3)) : name;
    assert(child.#parent === undefined, `${child.path} has a parent already`);
    assert(!this.#children.has(free) && !this.properties.has(free), `${this.path} has a property ${free}`);
    child.#parent = this;
    child.#name = free;
    this.#children.set(free, child);
    return child;
  }

  #numbered(stem: string): string {
    let index = 0;
    while (this.#children.has(`${stem}[${index}]`)) index++;
    return `${stem}[${index}]`;
  }

  /** Takes the object (and so all below it) out of the tree. Nobody holds a reference any more. */
  unparent(): void {
    assert(this.#users.length === 0, `${this.path} is in use by ${this.#users.join(', ')}`);
    if (this.#parent === undefined) return;
    this.#parent.#children.delete(this.#name);
    this.#parent = undefined;
  }

  /** Takes a reference in the name of a user ("device 'disk0'"). Returns the function that gives it back. */
  ref(user: string): () => void {
    this.#users.push(user);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#users.splice(this.#users.indexOf(user), 1);
    };
  }

  /** Who holds references, each once. */
  get users(): readonly string[] {
    return [...new Set(this.#users)];
  }

  /** This object and all below it, parents before children. */
  *subtree(): Generator<QomObject> {
    yield this;
    for (const child of this.#children.values()) yield* child.subtree();
  }
}

/** The object at an absolute path. */
export function objectAt(root: QomObject, path: string): QomObject | undefined {
  let object: QomObject | undefined = root;
  for (const part of path.split('/').filter((name) => name !== '')) object = object?.children.get(part);
  return object;
}

/**
 * Resolves a path as QOM does: absolute from the root, or partial (`disk0`, `peripheral/disk0`), which must
 * match the end of exactly one object's path.
 */
export function resolvePath(root: QomObject, path: string): Result<QomObject> {
  if (path.startsWith('/')) {
    const object = objectAt(root, path);
    return object === undefined ? notFound(root, path) : ok(object);
  }
  const parts = path.split('/').filter((name) => name !== '');
  const found = parts.length === 0 ? [] : [...root.subtree()].filter((object) => endsWith(object, parts));
  const [only, second] = found;
  if (only === undefined) return notFound(root, path);
  if (second !== undefined)
    return userError(`Path '${path}' is ambiguous`, {
      class: 'DeviceNotFound',
      hint: `It could be ${found.map((object) => object.path).join(' or ')}.`,
    });
  return ok(only);
}

function endsWith(object: QomObject, parts: readonly string[]): boolean {
  let at: QomObject | undefined = object;
  for (const part of parts.toReversed()) {
    if (at?.parent === undefined || at.name !== part) return false;
    at = at.parent;
  }
  return true;
}

function notFound(root: QomObject, path: string) {
  const last = path.split('/').at(-1);
  const near = [...root.subtree()].find((object) => object.name === last && object.name !== '');
  return userError(`Device '${path}' not found`, {
    class: 'DeviceNotFound',
    hint: near === undefined ? whatIsThere(root, path) : `Did you mean '${near.path}'?`,
  });
}

/** The children of the last object on the path that is there. */
function whatIsThere(root: QomObject, path: string): string {
  let object = root;
  for (const part of path.split('/').filter((name) => name !== '')) {
    const child = object.children.get(part);
    if (child === undefined) return `In ${object.path} there is: ${[...object.children.keys()].join(', ')}.`;
    object = child;
  }
  return `${object.path} is there.`;
}
