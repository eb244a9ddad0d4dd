/** Randomness that can be had again: titles name the seed, and BLOCKVAULT_SEED runs a test with it once more. */

/** Given where there is an environment: suites run in pages and edge workers too. */
const given = globalThis.process?.env?.['BLOCKVAULT_SEED']
export const SEED: number = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1 : Number(given)

/** Whole numbers below `bound` (xorshift32). */
export function numbers(seed: number): (bound: number) => number {
  const next = words(seed)
  return (bound) => Math.floor((next() / 2 ** 32) * bound)
}

/** Bytes that nothing compresses. */
export function noise(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const next = words(seed)
  const filled = new Uint32Array(Math.ceil(length / 4))
  for (let index = 0; index < filled.length; index++) filled[index] = next()
  return new Uint8Array(filled.buffer).slice(0, length)
}

/** Bytes that compress to a fraction: lines of text that do not repeat as a whole. */
export function text(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const below = numbers(seed)
  let lines = ''
  while (lines.length < length) lines += `volume ${below(1000)} block ${below(1e6)} is as it was\n`
  return new Uint8Array(new TextEncoder().encode(lines.slice(0, length)))
}

function words(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
