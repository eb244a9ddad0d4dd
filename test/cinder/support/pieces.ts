/** Bytes and text as what a store reads: pieces of any length. */
export async function* piecesOf(content: string | Uint8Array, pieceBytes = 256 * 1024): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export function joined(parts: Iterable<Uint8Array>): string {
  return Buffer.concat([...parts]).toString('latin1')
}
