import { defineConfig } from 'vitest/config';

/** Unit tests run in Node beside the code; browser tests live in e2e/. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'cli/**/*.test.ts', 'guest/**/*.test.ts'],
    pool: 'threads',
    testTimeout: 30_000,
  },
});
