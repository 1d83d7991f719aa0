import { beforeEach, describe, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK, type BlockResult, EIO } from '../block/block-backend.ts';
import type { BlockSpec } from '../qom/machine-ops.ts';
import { BlockNodes, type HandOver } from './block-nodes.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import { MAX_WAYS } from './notifier-table.ts';
import type { BlockAccess, BlockOpened, QueueStart } from './queue-plan.ts';
import { layoutMachine } from './shared-layout.ts';

const spec = (id: string): BlockSpec =>
  ({
    id,
    origin: 'drive',
    protocol: { driver: 'null-co', size: 65536, readZeroes: true },
    readOnly: false,
    snapshot: false,
    offset: 0,
    size: undefined,
    throttling: {},
    throttlingGroup: undefined,
  }) as unknown as BlockSpec;

/** Contexts as the main one sees them, each with a list of what it was asked, and one file per node between them. */
class Contexts {
  readonly log: string[] = [];
  /** Contexts in which nothing can be opened. */
  readonly closed = new Set<string>();
  readonly open = new Map<string, Set<string>>();
  readonly #entries = new Map<string, ContextEntry>();

  get(id: string): ContextEntry {
    const entry = this.#entries.get(id) ?? this.#make(id);
    this.#entries.set(id, entry);
    return entry;
  }

  #make(id: string): ContextEntry {
    const opened = (access: BlockAccess, what: string): BlockOpened => {
      const node = access.kind === 'own' ? access.plan.spec.id : access.id;
      const how =
        access.kind === 'own'
          ? `own, serve [${access.serve.join()}]`
          : access.kind === 'way'
            ? `way ${access.way}`
            : `lost, ${access.was.bytes} bytes`;
      const result: BlockResult = this.closed.has(id) && access.kind !== 'lost' ? EIO : BLK_OK;
      this.log.push(`${id} ${what} ${node} (${how})${result === BLK_OK ? '' : ' fails'}`);
      if (result === BLK_OK) this.open.set(node, (this.open.get(node) ?? new Set()).add(id));
      return { result, bytes: 65536, readOnly: false, canDiscard: true };
    };
    const service = {
      openBlock: async (access: BlockAccess) => opened(access, 'opens'),
      takeOver: async (access: BlockAccess, starts: readonly QueueStart[]) =>
        opened(access, `takes ${starts.length} queues and`),
      closeBlock: async (node: string) => {
        this.log.push(`${id} closes ${node}`);
        if (this.open.get(node)?.delete(id) !== true) throw new Error(`${node} is not open in ${id}`);
        return BLK_OK;
      },
    };
    return { index: this.#entries.size, id, service } as unknown as ContextEntry;
  }
}

let contexts: Contexts;
let nodes: BlockNodes;
beforeEach(() => {
  const layout = layoutMachine({ ramBytes: 65536, harts: 1 });
  const pages = layout.ramOffset / 65536;
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  contexts = new Contexts();
  contexts.get('main');
  nodes = new BlockNodes({ mem, layout } as ContextCore, contexts as unknown as ContextDirectory);
});

const at = (...ids: string[]): ContextEntry[] => ids.map((id) => contexts.get(id));
/** One queue in each context; queues close the node as they leave. */
const handOver = (node: string): HandOver => ({
  release: async (context) => void (await context.service.closeBlock(node, false)),
  starts: () => [{} as QueueStart],
});
const add = async (id = 'd0') => {
  const node = await nodes.add(spec(id));
  if (!node.ok) throw new Error(node.error.desc);
  return node.value;
};
const moveTo = async (node: Awaited<ReturnType<typeof add>>, ...ids: string[]) => {
  const residence = nodes.residenceFor(node, at(...ids));
  if (!residence.ok) throw new Error(residence.error.desc);
  return nodes.rehouse(node, residence.value, handOver(node.plan.spec.id));
};

describe('where a node lives', () => {
  it('is where its queues are; the owner stays if it is among them', async () => {
    const node = await add();
    const alone = nodes.residenceFor(node, at('ctx1', 'ctx1'));
    expect(alone.ok && [alone.value.owner.id, alone.value.ways.size]).toEqual(['ctx1', 0]);
    const among = nodes.residenceFor(node, at('ctx1', 'main', 'ctx2'));
    expect(among.ok && among.value.owner.id).toBe('main');
    expect(among.ok && [...among.value.ways].map(([{ id }, way]) => `${id} ${way}`)).toEqual([
      'ctx1 0',
      'ctx2 1',
    ]);
  });

  it('keeps off the ways of other nodes, uses its own again, and ends when there are none', async () => {
    const [first, second] = [await add('d0'), await add('d1')];
    await moveTo(first, 'main', 'ctx1', 'ctx2');
    const beside = nodes.residenceFor(second, at('main', 'ctx1'));
    expect(beside.ok && [...beside.value.ways.values()]).toEqual([2]);
    const again = nodes.residenceFor(first, at('main', 'ctx3'));
    expect(again.ok && [...again.value.ways.values()]).toEqual([0]);
    const many = Array.from({ length: MAX_WAYS }, (_, i) => `c${i}`);
    const refused = nodes.residenceFor(second, at('main', ...many));
    expect(refused).toMatchObject({
      ok: false,
      error: { desc: expect.stringContaining(String(MAX_WAYS)) as string },
    });
    await moveTo(first, 'main');
    expect(nodes.residenceFor(second, at('main', ...many)).ok).toBe(true);
  });
});

describe('rehouse', () => {
  it('closes ways before the owner, then opens the owner before the ways', async () => {
    const node = await add();
    await moveTo(node, 'main', 'ctx1');
    contexts.log.length = 0;
    expect((await moveTo(node, 'ctx2', 'ctx1')).ok).toBe(true);
    expect(contexts.log).toEqual([
      'ctx1 closes d0',
      'main closes d0',
      'ctx2 takes 1 queues and d0 (own, serve [0])',
      'ctx1 takes 1 queues and d0 (way 0)',
    ]);
    expect(nodes.residentIn('main')).toBeUndefined();
    expect(nodes.residentIn('ctx1')).toBe(node);
  });

  it('takes it back where it was, ways and all, if the target can not open it', async () => {
    const node = await add();
    await moveTo(node, 'main', 'ctx1');
    const before = node.residence;
    contexts.closed.add('ctx2');
    contexts.log.length = 0;
    const moved = await moveTo(node, 'ctx2');
    expect(moved).toMatchObject({ ok: false, error: { hint: expect.stringContaining('main') as string } });
    expect(node.residence).toBe(before);
    expect(node.ioStatus).toBe('ok');
    expect(contexts.log.slice(2)).toEqual([
      'ctx2 takes 1 queues and d0 (own, serve []) fails',
      'main takes 0 queues and d0 (own, serve [0])',
      'ctx1 takes 0 queues and d0 (way 0)',
    ]);
    expect([...(contexts.open.get('d0') ?? [])]).toEqual(['main', 'ctx1']);
  });

  it('says so if nobody can open it any more', async () => {
    const node = await add();
    contexts.closed.add('ctx1').add('main');
    contexts.log.length = 0;
    expect((await moveTo(node, 'ctx1')).ok).toBe(false);
    expect(node.ioStatus).toBe('failed');
    // Its queues find something there, which fails their requests.
    expect(contexts.log.at(-1)).toBe('main takes 0 queues and d0 (lost, 65536 bytes)');
    contexts.closed.clear();
    expect((await moveTo(node, 'ctx1')).ok).toBe(true);
    expect(node.ioStatus).toBe('ok');
  });

  it('brings a node home whose device is gone, and does nothing for one that is there', async () => {
    const node = await add();
    await moveTo(node, 'ctx1', 'ctx2');
    expect((await nodes.bringHome(node)).ok).toBe(true);
    expect([...(contexts.open.get('d0') ?? [])]).toEqual(['main']);
    expect(nodes.residentIn('ctx1')).toBeUndefined();
    contexts.log.length = 0;
    await nodes.bringHome(node);
    expect(contexts.log).toEqual([]);
  });

  it('opens with what was replanned', async () => {
    const node = await add();
    nodes.replan(node, { readOnly: true });
    expect(node.plan.spec).toMatchObject({ id: 'd0', readOnly: true });
    expect((await moveTo(node, 'ctx1')).ok).toBe(true);
  });
});

describe('a node', () => {
  it('that can not be opened is not added', async () => {
    contexts.closed.add('main');
    const refused = await nodes.add(spec('d0'));
    expect(refused).toMatchObject({
      ok: false,
      error: { desc: expect.stringMatching(/^cannot open /) as string },
    });
    expect(nodes.all()).toEqual([]);
  });

  it('that is deleted closes where it is reached before where it is open', async () => {
    const node = await add();
    await moveTo(node, 'main', 'ctx1', 'ctx2');
    contexts.log.length = 0;
    await nodes.delete('d0');
    expect(contexts.log).toEqual(['ctx1 closes d0', 'ctx2 closes d0', 'main closes d0']);
    expect(nodes.get('d0')).toBeUndefined();
    expect((await nodes.resize('d0', 1)).ok).toBe(false);
  });
});
