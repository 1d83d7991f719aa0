import { beforeEach, describe, expect, it } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { announcements } from '../announcer.ts';
import { layout } from '../layout.ts';
import type { ListedRequest, RequestList } from './protocol.ts';
import { newRequest } from './request-log.ts';
import { RequestLinks } from './request-links.ts';
import { P } from './stages.ts';
import type { TraceClient, TimelineWish } from './trace-client.ts';

function listed(req: number, head: number): ListedRequest {
  const request = { ...newRequest(), req, head, dev: 7, queue: 1 };
  request.times[P.pop] = 1_000_000;
  request.times[P.ack] = 1_100_000;
  return { ...request, index: req, isOver: true, queueLabel: 'disk0', popLane: 'ctx0', diskLane: 'ctx0' };
}

/** Links over a trace that knows these requests, by the order they are asked for in. */
function rig(known: { readonly newest?: ListedRequest[]; readonly 'under-way'?: ListedRequest[] }) {
  const all = [...(known.newest ?? []), ...(known['under-way'] ?? [])];
  const timeline = createStore<{ wish: TimelineWish | undefined }>(() => ({ wish: undefined }));
  const ask = (question: { ask: string; order?: 'newest' | 'under-way'; req?: number }): Promise<unknown> => {
    const list = known[question.order ?? 'newest'] ?? [];
    return Promise.resolve(
      question.ask === 'request'
        ? all.find(({ req }) => req === question.req)
        : ({
            requests: list,
            retained: list.length,
            total: list.length,
            notFollowed: 0,
          } satisfies RequestList),
    );
  };
  const links = new RequestLinks({ ask, timeline } as unknown as TraceClient);
  return { links, timeline };
}

describe('RequestLinks', () => {
  beforeEach(() => layout.setState({ preset: 'start', inspector: 'ring', narrow: 'guest' }));

  it('opens a request in the waterfall, of its queue, wherever the inspector is hidden', async () => {
    const { links } = rig({ newest: [listed(12, 3)] });
    await links.inWaterfallById(12);
    expect(links.store.getState()).toMatchObject({ queue: '7 1', request: { req: 12 } });
    expect(layout.getState()).toMatchObject({
      preset: 'overview',
      inspector: 'waterfall',
      narrow: 'request',
    });
  });

  it('says so when a request is no longer kept, and stays where it is', async () => {
    const { links } = rig({});
    await links.inWaterfallById(12);
    expect(announcements.getState().text).toBe('Request #12 is no longer kept');
    expect(layout.getState().inspector).toBe('ring');
  });

  it('of a head it opens the request under way before one that had it earlier', async () => {
    const { links } = rig({ newest: [listed(12, 3), listed(11, 4)], 'under-way': [listed(20, 3)] });
    await links.inWaterfallByHead(7, 1, 3);
    expect(links.store.getState().request?.req).toBe(20);
    await links.inWaterfallByHead(7, 1, 4);
    expect(links.store.getState().request?.req).toBe(11);
    await links.inWaterfallByHead(7, 1, 5);
    expect(announcements.getState().text).toBe('No request with head 5 is kept');
  });

  it('goes on to the flow and the timeline, and forgets with the machine', () => {
    const { links, timeline } = rig({});
    const request = listed(12, 3);
    links.inFlow(request);
    expect(layout.getState().inspector).toBe('flow');
    links.inTimeline(request);
    expect(timeline.getState().wish).toEqual({ from: 970_000, to: 1_130_000, filter: '#12' });
    expect(layout.getState().narrow).toBe('time');
    links.forget();
    expect(links.store.getState()).toMatchObject({ request: undefined, inFlow: false, queue: '7 1' });
  });
});
