/** Limits that the system sets for this process. Nothing is opened to read them: they matter when nothing can be. */

/** How many files may be open at once: `ulimit -n`. Undefined where there is no limit. */
export function openFileLimit(): number | undefined {
  return softLimit('open_files')
}

/** How many processes and threads this user may have: `ulimit -u`. */
export function processLimit(): number | undefined {
  return softLimit('max_user_processes')
}

function softLimit(name: string): number | undefined {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('userLimits' in report)) return undefined
  const limits = new Map(Object.entries(report.userLimits ?? {}))
  const found: unknown = limits.get(name)
  const soft = typeof found === 'object' && found !== null && 'soft' in found ? found.soft : undefined
  return typeof soft === 'number' ? soft : undefined
}
