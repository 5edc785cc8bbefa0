/**
 * The coordinator's database as a member hears it: the text is kept as it came, and read when somebody wants to know. A
 * pool of 64 sends every member half a megabyte at each change, and hardly a member ever looks into it.
 */
import { z } from 'zod'
import { replaceFile } from '../../base/durable-file.js'
import type { DatabaseImage } from './database.js'

export class DatabaseCopy {
  readonly #text: string
  #image: DatabaseImage | undefined

  constructor(text: string) {
    this.#text = text
  }

  get image(): DatabaseImage {
    this.#image ??= parseImage(this.#text)
    return this.#image
  }

  /** Replaces the file, as `writeImage` does. */
  write(path: string): Promise<void> {
    return replaceFile(path, `${this.#text}\n`, 0o600)
  }
}

const imageSchema: z.ZodType<DatabaseImage> = z.object({
  generation: z.number(),
  internals: z.record(z.string(), z.string()),
  tables: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.any()))),
})

/** Reads an image another host sent. */
export function parseImage(text: string): DatabaseImage {
  return imageSchema.parse(JSON.parse(text))
}
