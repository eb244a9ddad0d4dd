/**
 * Writes a JSON object of Cinder's style (`sort_keys=True, indent=2`) whose one array may be far longer than memory likes: a backup of
 * 1 TiB has 32 million hashes, 2.3 GiB of JSON, and no JavaScript string is that long.
 */
import { pythonJson, pythonString } from '../contract/python-json.ts'
import { utf8 } from '../core/bytes.ts'

export interface LongJsonWriter {
  /** The next bytes of the document, for items that are JSON already. */
  append(items: readonly string[]): Uint8Array<ArrayBuffer>
  /** The last bytes. */
  end(): Uint8Array<ArrayBuffer>
}

/** `fields` are all but the array, whose key is `arrayKey`. */
export function createLongJsonWriter(fields: Readonly<Record<string, unknown>>, arrayKey: string): LongJsonWriter {
  // Python's order is that of code points; keys are Cinder's, in ASCII, where that is also JavaScript's.
  const keys = Object.keys(fields).sort()
  const line = (key: string) => `  ${pythonString(key)}: ${indented(pythonJson(fields[key], { indent: 2, sortKeys: true }), '  ')}`
  const before = keys.filter((key) => key < arrayKey).map((key) => `${line(key)},\n`)
  const after = keys.filter((key) => key > arrayKey).map((key) => `,\n${line(key)}`)
  let started = false

  const start = () => {
    if (started) return ''
    started = true
    return `{\n${before.join('')}  ${pythonString(arrayKey)}: [`
  }
  let items = 0
  return {
    append(next) {
      let text = start()
      for (const item of next) text += `${items++ === 0 ? '' : ','}\n    ${item}`
      return utf8(text)
    },
    end() {
      return utf8(`${start()}${items === 0 ? '' : '\n  '}]${after.join('')}\n}`)
    },
  }
}

/** JSON of several lines, moved to the right. Strings hold no line break in JSON, so every one is between items. */
function indented(json: string, margin: string): string {
  return json.replaceAll('\n', `\n${margin}`)
}
