import { describe, expect, it } from 'vitest';
import { OpenRequests } from './open-requests.ts';
import { newRequest } from './request-log.ts';

describe('OpenRequests', () => {
  it('finds those of many queues by id, also where two want the same place', () => {
    const open = new OpenRequests();
    const ids: number[] = [];
    // Sequences far apart of 16 queues: more requests than places.
    for (let sequence = 1; sequence <= 600; sequence++)
      for (let queue = 0; queue < 16; queue++) ids.push(((sequence * 7) << 9) | (3 << 4) | queue);
    for (const req of ids) open.add({ ...newRequest(), req });
    expect(ids.filter((req) => open.get(req)?.req !== req)).toEqual([]);
    for (const req of ids.filter((_, i) => i % 2 === 0)) open.delete(req);
    expect(ids.filter((req, i) => (open.get(req) !== undefined) !== (i % 2 === 1))).toEqual([]);
    expect(open.get(1 << 9)).toBeUndefined();
  });
});
