import type { Result } from '../../base/result.ts';
import { ok, userError } from '../../base/result.ts';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_MAGIC, FDT_NOP, FDT_PROP } from './fdt.ts';

/** A node as read: raw property bytes by name, children by name. */
export interface FdtReadNode {
  readonly properties: Map<string, Uint8Array>;
  readonly children: Map<string, FdtReadNode>;
}

const fault = (what: string) => userError(`not a flattened device tree: ${what}`);

/** Reads a flattened device tree; checks what it relies on, since a user may hand over any file. */
export function readFdt(blob: Uint8Array): Result<FdtReadNode> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 40 || view.getUint32(0) !== FDT_MAGIC) return fault('no magic number');
  const total = view.getUint32(4);
  if (total > blob.length) return fault('it is cut short');
  const strings = view.getUint32(12);
  if (view.getUint32(24) > 17) return fault('its version is too new');
  let at = view.getUint32(8);

  const text = (from: number): string | undefined => {
    const end = blob.indexOf(0, from);
    if (end < 0 || end >= total) return undefined;
    return String.fromCharCode(...blob.subarray(from, end));
  };
  const stack: FdtReadNode[] = [];
  let root: FdtReadNode | undefined;
  while (at + 4 <= total) {
    const token = view.getUint32(at);
    at += 4;
    switch (token) {
      case FDT_BEGIN_NODE: {
        const name = text(at);
        if (name === undefined) return fault('a node name does not end');
        at = (at + name.length + 4) & ~3;
        const node: FdtReadNode = { properties: new Map(), children: new Map() };
        const parent = stack.at(-1);
        if (parent) parent.children.set(name, node);
        else root = node;
        stack.push(node);
        break;
      }
      case FDT_END_NODE:
        if (stack.pop() === undefined) return fault('an end without a node');
        break;
      case FDT_PROP: {
        if (at + 8 > total) return fault('it is cut short');
        const length = view.getUint32(at);
        const name = text(strings + view.getUint32(at + 4));
        const parent = stack.at(-1);
        if (name === undefined || parent === undefined || at + 8 + length > total) {
          return fault('a property is out of bounds');
        }
        parent.properties.set(name, blob.subarray(at + 8, at + 8 + length));
        at = (at + 8 + length + 3) & ~3;
        break;
      }
      case FDT_NOP:
        break;
      case FDT_END:
        return root && stack.length === 0 ? ok(root) : fault('nodes do not nest');
      default:
        return fault(`unknown token ${token}`);
    }
  }
  return fault('it does not end');
}

/** Node at a path such as `/soc/serial@10000000`. */
export function findNode(root: FdtReadNode, path: string): FdtReadNode | undefined {
  let node: FdtReadNode | undefined = root;
  for (const name of path.split('/').filter((part) => part !== '')) node = node?.children.get(name);
  return node;
}

/** A property as strings. */
export function stringsOf(node: FdtReadNode | undefined, property: string): string[] | undefined {
  const bytes = node?.properties.get(property);
  if (bytes === undefined) return undefined;
  return Array.from(bytes, (c) => String.fromCharCode(c))
    .join('')
    .replace(/\0$/, '')
    .split('\0');
}

/** A property as 32-bit cells. */
export function cellsOf(node: FdtReadNode | undefined, property: string): number[] | undefined {
  const bytes = node?.properties.get(property);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(i * 4));
}
