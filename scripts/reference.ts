/** Writes docs/reference.md from the code: every command with its options, every exit code, every error. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderReference } from './reference-page.js'

writeFileSync(join(import.meta.dirname, '../docs/reference.md'), renderReference())
