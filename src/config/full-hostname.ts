/** The rule for host names as they stand in settings and certificates (RFC 1123, 2.1; RFC 5890, 2.3.1). */

/** Labels as in DNS: letters, digits, hyphens inside, 63 at most; two labels or more, 253 characters in all. */
export function isFullHostname(text: string): boolean {
  const labels = text.split('.')
  const isNumeric = /^[0-9]+$/.test(labels.at(-1) ?? '')
  return (
    text.length <= 253 &&
    labels.length >= 2 &&
    !isNumeric &&
    labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
  )
}
