import { expect, test } from 'vitest';
import { DispatchStack } from './dispatch-stack.ts';

test('tells when the innermost running dispatch began', () => {
  const stack = new DispatchStack();
  expect(stack.innermost).toBeNaN();
  stack.push(10);
  stack.push(20);
  expect(stack.innermost).toBe(20);
  stack.pop();
  expect(stack.innermost).toBe(10);
  stack.clear();
  expect(stack.innermost).toBeNaN();
});

test('an end without a beginning, as after lost records, is no dispatch', () => {
  const stack = new DispatchStack();
  stack.pop();
  stack.push(10);
  expect(stack.innermost).toBe(10);
});

test('deeper than it tells apart, it keeps the count', () => {
  const stack = new DispatchStack();
  for (let i = 1; i <= 40; i++) stack.push(i);
  expect(stack.innermost).toBe(16);
  for (let i = 1; i <= 38; i++) stack.pop();
  expect(stack.innermost).toBe(2);
});
