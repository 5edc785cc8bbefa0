/** What can be wrong with the database. */
import { dirname } from 'node:path'
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

const parentOf = (directory: unknown) => dirname(String(directory))

export const storeErrors = defineErrors({
  DATABASE_ENCODING: {
    message: 'The database does not store Unicode.',
    facts: ['server', 'encoding'],
    remedy: 'createdb --encoding=UTF8 --template=template0 wlb',
  },
  DATABASE_MIGRATION_FAILED: {
    message: 'The database could not be brought to the schema of this version; nothing in it was changed.',
    facts: ['reason'],
    remedy: 'wlb --version   # a database used by a newer version needs that version',
  },
  DATABASE_NO_SPACE: {
    message: 'There is no space left for the database; it needs 40 MB to begin with. Nothing was left behind.',
    facts: ['directory'],
    remedy: ({ directory }) => shell`df -h ${parentOf(directory)}`,
  },
  DATABASE_OUTCOME_UNKNOWN: {
    message: 'The database broke off while it was storing a change: it is not known whether the change was stored.',
    facts: ['reason'],
    remedy: 'wlb status',
  },
  DATABASE_UNAVAILABLE: {
    message: 'The database cannot be used at the moment; nothing was stored.',
    facts: ['reason'],
    remedy: 'wlb status',
  },
  DATABASE_UNREACHABLE: {
    message: 'The database server cannot be used.',
    facts: ['server', 'reason'],
    remedy: ({ server }) => shell`psql ${server}`,
  },
  DATABASE_UNUSABLE: {
    message: 'The embedded database could not be made or opened.',
    facts: ['directory', 'reason'],
    remedy: ({ directory }) => shell`df -h ${parentOf(directory)} && ls -ld ${parentOf(directory)}`,
  },
  DATABASE_URL_INVALID: {
    message: 'The address of the database is not of the form postgres://user@host/name.',
    facts: [],
    remedy: 'wlb setup --database postgres://wlb@localhost/wlb',
  },
})
export const { fail } = storeErrors
