/** A program for the tests of the lock: DIRECTORY [with-child | count ROUNDS]. Prints `held`, or the code of the refusal. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockDirectory } from '../../src/base/files/directory-lock.js'

const [directory = '', how, rounds] = process.argv.slice(2)

if (how === 'count') {
  const count = join(directory, 'count')
  for (let round = 0; round < Number(rounds); round++) {
    const lock = await lockDirectory(directory, 60_000)
    writeFileSync(count, `${Number(readFileSync(count, 'utf8')) + 1}`)
    await lock.release()
  }
} else {
  try {
    await lockDirectory(directory)
    if (how === 'with-child') {
      const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
      writeFileSync(join(directory, 'child'), `${child.pid}`)
    }
    process.stdout.write('held\n')
    setTimeout(() => {}, 60_000) // the test ends it long before
  } catch (error) {
    process.stdout.write(`${error instanceof Error && 'code' in error ? error.code : error}\n`)
  }
}
