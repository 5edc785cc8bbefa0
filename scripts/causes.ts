/** Writes docs/causes.md from the doctor's catalogue. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderCauses } from './causes-page.js'

writeFileSync(join(import.meta.dirname, '../docs/causes.md'), renderCauses())
