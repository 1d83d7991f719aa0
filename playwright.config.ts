import { defineConfig } from '@playwright/test';

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
    command: 'npx vite preview --port 4183 --strictPort',
    port: 4183,
    reuseExistingServer: false,
    timeout: 60_000,
  },
  use: { baseURL: 'http://localhost:4183/' },
});
