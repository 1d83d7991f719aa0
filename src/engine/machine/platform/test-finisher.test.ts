import { expect, it } from 'vitest';
import type { PowerRequest } from './test-finisher.ts';
import { TestFinisher } from './test-finisher.ts';

it('understands power-off, failure with a code, reset, and nothing else', () => {
  const requests: PowerRequest[] = [];
  const test = new TestFinisher((request) => requests.push(request));
  test.write(0, 4, 0x5555);
  test.write(0, 4, 0x002a_3333);
  test.write(0, 4, 0x7777);
  test.write(0, 4, 0x1234);
  test.write(4, 4, 0x5555);
  expect(requests).toEqual([{ kind: 'poweroff' }, { kind: 'fail', code: 42 }, { kind: 'reset' }]);
  expect(test.read(0, 4)).toBe(0);
});
