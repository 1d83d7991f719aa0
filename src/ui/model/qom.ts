import type { Vm } from '../../engine/vm.ts';

/** A property of a QOM object as `qom-list` names it. */
export interface QomProperty {
  readonly name: string;
  readonly type: string;
}

export interface QomNode {
  readonly path: string;
  readonly children: readonly { readonly name: string; readonly path: string; readonly type: string }[];
  readonly properties: readonly QomProperty[];
}

/** Lists an object: its children apart from its properties. Throws with the monitor's words. */
export async function listQom(vm: Vm, path: string): Promise<QomNode> {
  const reply = await vm.qmp('qom-list', { path });
  if (!reply.ok) throw new Error(reply.error.desc);
  const entries = Array.isArray(reply.value) ? reply.value.flatMap(asProperty) : [];
  const childType = (type: string): string | undefined => /^child<(.*)>$/.exec(type)?.[1];
  return {
    path,
    children: entries
      .flatMap(({ name, type }) => {
        const child = childType(type);
        return child === undefined
          ? []
          : [{ name, path: path === '/' ? `/${name}` : `${path}/${name}`, type: child }];
      })
      .toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
    properties: entries
      .filter(({ type }) => childType(type) === undefined)
      .toSorted((a, b) => a.name.localeCompare(b.name)),
  };
}

function asProperty(value: unknown): readonly QomProperty[] {
  if (typeof value !== 'object' || value === null) return [];
  const { name, type } = value as { name?: unknown; type?: unknown };
  return typeof name === 'string' && typeof type === 'string' ? [{ name, type }] : [];
}

/** A property's value as JSON text; the refusal's words when it can't be read. */
export async function getQom(
  vm: Vm,
  path: string,
  property: string,
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const reply = await vm.qmp('qom-get', { path, property });
  return reply.ok
    ? { ok: true, text: JSON.stringify(reply.value) ?? 'null' }
    : { ok: false, text: reply.error.desc };
}

/** Sets a property from what a user typed: JSON where it is, else a string. Returns the refusal. */
export async function setQom(
  vm: Vm,
  path: string,
  property: string,
  typed: string,
): Promise<string | undefined> {
  const reply = await vm.qmp('qom-set', { path, property, value: valueOf(typed) });
  return reply.ok ? undefined : reply.error.desc;
}

/** `42`, `true`, `"text"` and `{…}` are JSON; `ctx0` is a string. */
export function valueOf(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}
