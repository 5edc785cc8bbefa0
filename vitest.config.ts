import { defineConfig } from 'vitest/config'

/** Rooms whose tests leave nothing behind in their process: a process for each file costs a second of loading. */
const SHARING = ['test/{x509,wlb,xapi}/**/*.test.ts']

export default defineConfig({
  test: {
    globalSetup: 'test/empty-database.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    execArgv: ['--liftoff-only'], // of V8: no test runs the database engine long enough for better code to repay its making
    reporters: ['default', ['json', { outputFile: 'test-results.json' }]],
    projects: [
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false } },
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: SHARING } },
    ],
  },
})
