/** Standard input, whatever it is: a file, a pipe, or the socket that other programs give, which /dev/stdin cannot open. */

/** Reads to the end, or until more than `limitBytes` have come: then one byte more than that is returned. */
export async function readStandardInput(limitBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of process.stdin) {
    const bytes = Buffer.from(piece)
    pieces.push(bytes)
    length += bytes.length
    if (length > limitBytes) break
  }
  return Buffer.concat(pieces).subarray(0, limitBytes + 1)
}
