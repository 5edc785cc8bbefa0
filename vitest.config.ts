import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/empty-database.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    execArgv: ['--liftoff-only'], // of V8: no test runs the database engine long enough for better code to repay its making
    reporters: ['default', ['json', { outputFile: 'test-results.json' }]],
  },
})
