/** Writes docs/traceability.md from the table beside the tests. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderTraceability } from './traceability-page.js'

writeFileSync(join(import.meta.dirname, '../docs/traceability.md'), renderTraceability())
