/** What can be wrong with files, folders and documents, whatever they are for. */
import { dirname } from 'node:path'
import { defineErrors } from './error.js'
import { shell } from './text/quote-word.js'

const folderOf = (path: unknown) => dirname(String(path))

export const baseErrors = defineErrors({
  DIRECTORY_IN_USE: {
    message:
      'Another process is using this directory, and two would destroy what is in it. Wait until it has ended, or stop it the way it was started.',
    facts: ['directory', 'pid?', 'program?', 'since?'],
    remedy: 'wlb status',
  },
  DISK_FAULTY: {
    message: 'The disk or its file system reports a fault.',
    facts: ['path'],
    remedy: 'dmesg | tail',
  },
  DISK_FULL: {
    message: 'There is no space left for this file; what was there before is unchanged.',
    facts: ['path'],
    remedy: ({ path }) => shell`df -h ${folderOf(path)}`,
  },
  FILE_MISSING: {
    message: 'There is no such file.',
    facts: ['file'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  FILE_SIZE_LIMITED: {
    message: 'This process may not write a file of that size; what was there before is unchanged.',
    facts: ['path?'],
    remedy: 'ulimit -f unlimited',
  },
  FILE_TOO_LARGE: {
    message: 'No file of this kind is that large.',
    facts: ['file', 'bytes', 'limit'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  FOLDER_IMPOSSIBLE: {
    message: 'The file system there takes no folders.',
    facts: ['path'],
    remedy: ({ path }) => shell`df -T ${folderOf(path)}`,
  },
  HOME_UNKNOWN: {
    message: 'This user has no home folder, where files of its own would be.',
    facts: ['uid'],
    remedy: 'HOME=/root wlb --help',
  },
  HOST_ADDRESS_INVALID: {
    message: 'That is neither a host name nor an IP address; nothing was asked there.',
    facts: ['of', 'address'],
    remedy: 'xe host-list params=uuid,name-label,address',
  },
  LOCK_FILE_UNUSABLE: {
    message: 'The lock file of this directory was not made by its owner; nothing was changed.',
    facts: ['path', 'found'],
    remedy: ({ path }) => shell`ls -l ${path}`,
  },
  LOCK_IMPOSSIBLE: {
    message: 'The file system there gives no locks.',
    facts: ['path', 'reason'],
    remedy: ({ path }) => shell`df -T ${folderOf(path)}`,
  },
  LOCK_PROGRAM_MISSING: {
    message: 'A program that takes locks is missing; the package util-linux has it.',
    facts: ['program'],
    remedy: 'apt-get install util-linux',
  },
  MEMORY_EXHAUSTED: {
    message: 'The system gives this process no more memory.',
    facts: ['systemError'],
    remedy: 'free -m; ulimit -v',
  },
  OUTPUT_UNWRITABLE: {
    message: 'What was printed could not be written, so part of it is missing.',
    facts: ['output', 'systemError'],
    remedy: 'df -h',
  },
  PATH_NOT_PERMITTED: {
    message: 'This user may not read or write there; nothing was changed.',
    facts: ['path', 'systemError'],
    remedy: ({ path }) => shell`ls -ld ${path} ${folderOf(path)}`,
  },
  PATH_OCCUPIED: {
    message: 'Something else is in the way: a file where a folder belongs, or a folder where a file belongs.',
    facts: ['path', 'systemError'],
    remedy: ({ path }) => shell`ls -ld ${path}`,
  },
  TEXT_UNREADABLE: {
    message: ({ why }) => `The file was to be text: it ${why}.`,
    facts: ['file', '(why)'],
    remedy: ({ file }) => shell`head -c 64 ${file} | od -c`,
  },
  TOO_MANY_OPEN_FILES: {
    message: 'This process may not open as many files at once as it needs.',
    facts: ['limit?', 'systemError'],
    remedy: ({ systemError }) => (systemError === 'ENFILE' ? 'cat /proc/sys/fs/file-nr' : 'ulimit -n 1024'),
  },
  TOO_MANY_PROCESSES: {
    message: 'The system starts no more processes for this user.',
    facts: ['limit?', 'systemError'],
    remedy: 'ulimit -u; ps -u $(id -u)',
  },
  XML_FORBIDDEN: {
    message: 'The document holds something that no message needs.',
    facts: ['found', 'line'],
    remedy: 'xmllint --noout FILE',
  },
  XML_MALFORMED: {
    message: 'The document is not well-formed XML.',
    facts: ['reason', 'line?'],
    remedy: 'xmllint --noout FILE',
  },
})
export const { fail } = baseErrors
