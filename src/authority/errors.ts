/** Errors of the small certificate authority. */
import { join } from 'node:path'
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

const restore = ({ file }: { readonly file: unknown }) => shell`ls -l ${file}   # restore it from a backup`

export const authorityErrors = defineErrors({
  AUTHORITY_DAMAGED: {
    message: 'A file of the authority is missing or damaged.',
    facts: ['file', 'found'],
    remedy: restore,
  },
  AUTHORITY_FOLDER_OCCUPIED: {
    message: 'An authority needs a folder of its own; this one holds other files or is a mount point.',
    facts: ['folder'],
    remedy: ({ folder }) => shell`wlb ca create --dir ${join(String(folder), 'ca')} --passphrase-file FILE --yes`,
  },
  AUTHORITY_INDEX_DAMAGED: {
    message: 'The index of issued certificates cannot be read; without it nothing is signed or revoked.',
    facts: ['file', 'where', 'found'],
    remedy: restore,
  },
  AUTHORITY_MISSING: {
    message: 'There is no authority in this folder.',
    facts: ['folder'],
    remedy: ({ folder }) => shell`wlb ca create --dir ${folder} --passphrase-file FILE --yes`,
  },
  AUTHORITY_NAME_DIFFERS: {
    message: 'The folder holds an authority with another name; it was not changed.',
    facts: ['folder', 'name', 'asked'],
    remedy: ({ folder }) => shell`wlb ca list --dir ${folder}`,
  },
  CERTIFICATE_NOT_ISSUED_HERE: {
    message: 'This authority has issued no certificate with that serial number.',
    facts: ['folder', 'serialNumber'],
    remedy: ({ folder }) => shell`wlb ca list --dir ${folder}`,
  },
  OUTPUT_FOLDER_MISSING: {
    message: 'The folder for the output file does not exist; nothing was signed.',
    facts: ['folder'],
    remedy: ({ folder }) => shell`mkdir -p ${folder}`,
  },
  OUTPUT_OCCUPIED: {
    message: 'The output file exists and holds something else; it was not touched, and nothing was signed.',
    facts: ['path', 'expected'],
    remedy: ({ path }) => shell`mv ${path} ${path}.before`,
  },
  USAGE_AUTHORITY: {
    message: 'An authority cannot be created with this value.',
    facts: ['what', 'why'],
    remedy: 'wlb ca create --help',
  },
  USAGE_CRL_LIFETIME: {
    message: 'A revocation list is valid for 1 to 3650 days.',
    facts: ['days'],
    remedy: 'wlb ca crl --help',
  },
})
export const { fail } = authorityErrors
