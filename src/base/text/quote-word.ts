/** Words of a shell's command line. */

/** Letters that no shell gives a meaning; a `~` at the beginning of a word, or behind `=` or `:`, is somebody's home. */
const PLAIN = /^[\w@%+=:,./-]+$/

/** Quotes one word for a shell. */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Quotes the name of a file. One that a program would take for an option is made a path. */
export function quoteFile(file: string): string {
  return quoteWord(file.startsWith('-') ? `./${file}` : file)
}

/**
 * A command to paste, as a template: shell`ls -l ${file}`. Each value is part of one word, whatever is in it. One that a program
 * would take for an option is made a path.
 */
export function shell(literals: TemplateStringsArray, ...values: readonly unknown[]): string {
  return literals.reduce((command, literal, at) => {
    const value = String(values[at - 1])
    const isOwnWord = /\s$/.test(command)
    return `${command}${isOwnWord ? quoteFile(value) : quoteWord(value)}${literal}`
  })
}
