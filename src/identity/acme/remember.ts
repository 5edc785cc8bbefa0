/** Writes the `[acme]` section into the settings and leaves the rest of the file, which people edit, as it is. */
import { readFile } from 'node:fs/promises'
import { parse, stringify } from 'smol-toml'
import { replaceFile } from '../../base/durable-file.js'
import { touching } from '../../base/file-failure.js'
import { type AcmeSettings, toAcmeFile } from '../../config/acme-settings.js'
import { giveFileToOwner } from '../../config/owner.js'
import type { AppliancePaths } from '../../config/paths.js'
import { readSettings, writeSettings } from '../../config/settings.js'

/**
 * Remembers them for renewals; nothing is written where they stand there already.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, PATH_NOT_PERMITTED, DISK_FULL.
 */
export async function rememberAcme(paths: AppliancePaths, acme: AcmeSettings): Promise<void> {
  const path = paths.settings
  const before = await readSettings(path)
  const wanted = toAcmeFile(acme)
  if (before.acme && stringify(toAcmeFile(before.acme)) === stringify(wanted)) return
  const text = await touching(path, () => readFile(path, 'utf8'))
  const changed = `${withoutSection(text).trimEnd()}\n\n${stringify({ acme: wanted })}`
  const { acme: _, ...others } = parse(text)
  // a section written in another way (acme.email = …) is not one block of lines
  if (rewrite(changed) === stringify({ ...others, acme: wanted }))
    await touching(path, () => replaceFile(path, changed, 0o600))
  else await writeSettings(path, { ...before, acme })
  await giveFileToOwner(path, paths)
}

function withoutSection(text: string): string {
  let isInside = false
  const kept = text.split('\n').filter((line) => {
    if (/^\s*\[/.test(line)) isInside = /^\s*\[\s*acme\s*\]/.test(line)
    return !isInside
  })
  return kept.join('\n')
}

/** In the one way that two files of the same content have in common. */
function rewrite(text: string): string | undefined {
  try {
    return stringify(parse(text))
  } catch {
    return undefined
  }
}
