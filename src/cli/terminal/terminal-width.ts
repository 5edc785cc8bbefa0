/** The size of a terminal, for those that have none: a serial console, `docker exec -t`, expect. */

interface Screen {
  readonly isTTY?: boolean
  columns: number
  rows: number
}

/** Without this, questions are wrapped at every character. */
export function assumeSize(screen: Screen): void {
  if (!screen.isTTY) return
  if (!screen.columns) screen.columns = 80
  if (!screen.rows) screen.rows = 24
}
