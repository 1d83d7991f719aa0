import { defineConfig } from '@playwright/test';

// One port for this run, handed down to the workers: several runs on one machine don't meet.
process.env['E2E_PORT'] ??= String(20_000 + (process.pid % 20_000));
const port = Number(process.env['E2E_PORT']);

/** Specs open their own persistent context (e2e/fixtures.ts): an incognito context has a crippled OPFS. */
export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  fullyParallel: false,
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    port,
    reuseExistingServer: false,
    timeout: 60_000,
  },
  use: { baseURL: `http://localhost:${port}/` },
});
