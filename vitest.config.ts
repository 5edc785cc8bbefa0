import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: 'test/run-folder.ts',
    setupFiles: 'test/before-each-file.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    isolate: false, // what a test file starts it ends; a process for each costs a second of loading
    execArgv: ['--liftoff-only'], // of V8: no test runs the database engine long enough for better code to repay its making
    reporters: ['default', ['json', { outputFile: 'test-results.json' }]],
    tags: [{ name: 'long', description: 'what a sample in another test stands for in `npm test`' }],
    include: ['test/**/*.test.ts'],
  },
})
