/** Writes docs/pool-document.md from the schema of the document. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderPoolDocument } from './pool-document-page.js'

writeFileSync(join(import.meta.dirname, '../docs/pool-document.md'), renderPoolDocument())
