import { defineConfig } from 'vitest/config';

/** Whole machines in Node: boots, disks, moves. One at a time, since two cores are all there may be. */
export default defineConfig({
  test: {
    include: ['e2e/headless/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
