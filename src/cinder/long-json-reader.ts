/**
 * Reads a JSON object whose one array may be far longer than memory likes. The array's items come in batches, each other value whole.
 *
 * Invariants: what is held is one batch or one value, whatever the document says; everything is checked as strictly as JSON.parse
 * does, which parses each batch and each value. UTF-8 only, no byte order mark: Cinder decodes it so.
 */
import { BlockvaultError } from '../contract/errors.ts'
import { concatBytes, fromUtf8 } from '../core/bytes.ts'

export interface LongJsonOptions {
  /** Key of the array whose items come in batches. A value there that is no array is refused. */
  arrayKey: string
  /** Receives the items in order, about 64 KiB of text at once. */
  onItems: (items: readonly unknown[]) => void
  /** Longest other value. 4 MiB by default. */
  valueBytesMax?: number | undefined
  /** For messages: which object this is. */
  name: string
}

/** Items are parsed when this much text has come together. */
const BATCH_BYTES = 64 * 1024
/** The volume metadata of a backup is the longest value there is: some kilobytes, and image metadata may add more. */
const VALUE_BYTES_MAX = 4 * 1024 * 1024
/** Cinder's manifests have seven. */
const KEYS_MAX = 64
/** JSON.parse recurses: deep nesting is refused before it gets there. */
const DEPTH_MAX = 64

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a] as const
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d] as const
const [SPACE, LINE_FEED, RETURN, TAB] = [0x20, 0x0a, 0x0d, 0x09] as const

/**
 * The document's values but the array. The array's key is in the map, with `undefined` for a value, when the document has it.
 * @throws InvalidBackup
 */
export async function readLongJson(pieces: AsyncIterable<Uint8Array>, options: LongJsonOptions): Promise<Map<string, unknown>> {
  const parser = createParser(options)
  for await (const piece of pieces) parser.push(piece)
  return parser.end()
}

/** What the next byte belongs to. `value` and `items` are text for JSON.parse, of which only the end is looked for here. */
type State = 'start' | 'first key' | 'key' | 'in key' | 'colon' | 'array' | 'value' | 'items' | 'comma' | 'end'

function createParser({ arrayKey, onItems, valueBytesMax = VALUE_BYTES_MAX, name }: LongJsonOptions) {
  const values = new Map<string, unknown>()
  let state: State = 'start'
  let key = ''
  let inString = false
  let escaped = false
  /** Open brackets and braces inside the value or item. */
  let depth = 0
  let batches = 0
  let kept: Uint8Array[] = []
  let keptBytes = 0

  const bad = (reason: string, cause?: unknown): BlockvaultError =>
    new BlockvaultError('InvalidBackup', `${name} can not be read: ${reason}. Restore it from a copy, or leave this backup out.`, {
      details: { object: name },
      cause,
    })
  const keep = (piece: Uint8Array, from: number, to: number) => {
    keptBytes += to - from
    if (keptBytes > valueBytesMax + BATCH_BYTES) throw bad(`one value has more than ${valueBytesMax} bytes`)
    kept.push(piece.slice(from, to))
  }
  const take = (): string => {
    const text = fromUtf8(concatBytes(kept))
    kept = []
    keptBytes = 0
    if (text === undefined) throw bad('it is not UTF-8')
    return text
  }
  const parse = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw bad('it is not JSON', error)
    }
  }

  function push(piece: Uint8Array): void {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) {
          inString = false
          if (state === 'in key') endKey(piece, from, at + 1)
        }
      } else if (state === 'value' || state === 'items') {
        if (byte === QUOTE) inString = true
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          if (++depth > DEPTH_MAX) throw bad(`it nests deeper than ${DEPTH_MAX}`)
        } else if (depth > 0) {
          if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
        } else if (endsPart(byte, keptBytes + at - from)) {
          keep(piece, from, at)
          from = at + 1
          endPart(byte)
        }
      } else if (byte !== SPACE && byte !== LINE_FEED && byte !== RETURN && byte !== TAB) {
        from = byte === QUOTE ? at : at + 1
        between(byte)
      }
    }
    if (state === 'value' || state === 'items' || state === 'in key') keep(piece, from, piece.length)
  }

  /** One byte that is neither space nor inside of a key, a value or the long array. */
  function between(byte: number): void {
    if (state === 'start' && byte === OPEN_BRACE) state = 'first key'
    else if ((state === 'first key' || state === 'key') && byte === QUOTE) {
      state = 'in key'
      inString = true
    } else if (state === 'colon' && byte === COLON) state = key === arrayKey ? 'array' : 'value'
    else if (state === 'array' && byte === OPEN_BRACKET) state = 'items'
    else if (state === 'comma' && byte === COMMA) state = 'key'
    else if ((state === 'comma' || state === 'first key') && byte === CLOSE_BRACE) state = 'end'
    else throw bad(state === 'array' ? `its ${arrayKey} is no array` : 'it is not a JSON object')
  }

  function endKey(piece: Uint8Array, from: number, to: number): void {
    keep(piece, from, to)
    key = parse(take()) as string
    if (values.has(key)) throw bad(`it has ${JSON.stringify(key.slice(0, 100))} twice`)
    if (values.size === KEYS_MAX) throw bad(`it has more than ${KEYS_MAX} keys`)
    values.set(key, undefined)
    state = 'colon'
  }

  /** Whether `byte`, outside of brackets, ends the value or the batch of which `length` bytes came before it. */
  function endsPart(byte: number, length: number): boolean {
    if (state === 'value') return byte === COMMA || byte === CLOSE_BRACE
    return byte === CLOSE_BRACKET || (byte === COMMA && length >= BATCH_BYTES)
  }

  function endPart(byte: number): void {
    const text = take()
    if (state === 'value') {
      values.set(key, parse(text))
      state = byte === COMMA ? 'key' : 'end'
      return
    }
    const last = byte === CLOSE_BRACKET
    if (last) state = 'comma'
    const blank = /^[ \n\r\t]*$/.test(text)
    if (blank && last && batches === 0) return
    // `[]` around nothing would pass: a comma with no item behind it.
    if (blank) throw bad('it is not JSON')
    batches++
    onItems(parse(`[${text}]`) as unknown[])
  }

  return {
    push,
    end() {
      if (state !== 'end') throw bad(state === 'start' ? 'it is empty' : 'it ends too early')
      return values
    },
  }
}
