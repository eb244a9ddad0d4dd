import { describe, expect, it } from 'vitest'
import { readLongJson } from '../../src/cinder/long-json-reader.ts'
import { createLongJsonWriter } from '../../src/cinder/long-json-writer.ts'
import { pythonJson } from '../../src/contract/python-json.ts'
import { numbers, SEED } from '../repository/support/random.ts'
import { joined, piecesOf } from './support/pieces.ts'

async function read(text: string | Uint8Array, pieceBytes?: number, valueBytesMax?: number) {
  const items: unknown[] = []
  const values = await readLongJson(piecesOf(text, pieceBytes), { arrayKey: 'items', name: 'it', onItems: (batch) => items.push(...batch), valueBytesMax })
  return { items, values }
}

describe('the reader of long JSON', () => {
  it(`gives what JSON.parse gives, wherever the pieces are cut (seed ${SEED})`, async () => {
    const below = numbers(SEED)
    for (let round = 0; round < 200; round++) {
      const document = randomDocument(below)
      const text = JSON.stringify(document, undefined, below(3))
      const { items, values } = await read(text, 1 + below(20))
      expect(items).toEqual(document['items'])
      const { items: _items, ...rest } = document
      values.delete('items')
      expect(Object.fromEntries(values)).toEqual(rest)
    }
  })

  it('holds one batch of the array at a time', async () => {
    const text = JSON.stringify({ items: Array.from({ length: 50_000 }, (_, index) => ({ index })) })
    let largest = 0
    let count = 0
    const onItems = (batch: readonly unknown[]) => {
      largest = Math.max(largest, batch.length)
      count += batch.length
    }
    await readLongJson(piecesOf(text), { arrayKey: 'items', name: 'it', onItems })
    expect(count).toBe(50_000)
    expect(largest).toBeLessThan(10_000)
  })

  it.each([
    ['', 'is empty'],
    ['   ', 'is empty'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['{', 'ends too early'],
    ['{"a"', 'ends too early'],
    ['{"a": 1', 'ends too early'],
    ['{"a": "x', 'ends too early'],
    ['{"items": [1, 2', 'ends too early'],
    ['{"items": [1, 2]', 'ends too early'],
    ['{"a": }', 'not JSON'],
    ['{"a": 1,}', 'not a JSON object'],
    ['{,}', 'not a JSON object'],
    ['{"a": 1 "b": 2}', 'not JSON'],
    ['{"a" 1}', 'not a JSON object'],
    ["{'a': 1}", 'not a JSON object'],
    ['{"a": 1} x', 'not a JSON object'],
    ['{"a": 1}{}', 'not a JSON object'],
    ['{"a": [1}', 'ends too early'],
    ['{"a": [1}}', 'not JSON'],
    ['{"a": {"b": 1]}', 'not JSON'],
    ['{"a": NaN}', 'not JSON'],
    ['{"a": 01}', 'not JSON'],
    ['{"a": "\u0001"}', 'not JSON'],
    ['{"a": "\\x"}', 'not JSON'],
    ['{"items": 1}', 'no array'],
    ['{"items": {}}', 'no array'],
    ['{"items": null}', 'no array'],
    ['{"items": [,]}', 'not JSON'],
    ['{"items": [1,]}', 'not JSON'],
    ['{"items": [1 2]}', 'not JSON'],
    ['{"items": [1], "items": [2]}', 'twice'],
    ['{"a": 1, "\\u0061": 2}', 'twice'],
    [`{"a": ${'['.repeat(65)}`, 'nests deeper'],
    [`{${Array.from({ length: 65 }, (_, index) => `"k${index}": 1`).join()}}`, 'more than 64 keys'],
    ['\ufeff{}', 'not a JSON object'],
  ])('refuses %j', async (text, reason) => {
    for (const pieceBytes of [1, 1000]) {
      await expect(read(text, pieceBytes)).rejects.toMatchObject({ code: 'InvalidBackup', message: expect.stringContaining(reason), details: { object: 'it' } })
    }
  })

  it('refuses an item that is missing where a batch ends', async () => {
    const batch = Array.from({ length: 20_000 }, () => '12345').join(',')
    await expect(read(`{"items": [${batch},]}`)).rejects.toMatchObject({ code: 'InvalidBackup' })
    await expect(read(`{"items": [${batch},,1]}`)).rejects.toMatchObject({ code: 'InvalidBackup' })
    await expect(read(`{"items": [${' '.repeat(70_000)},1]}`)).rejects.toMatchObject({ code: 'InvalidBackup' })
  })

  it('refuses bytes that are not UTF-8', async () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
      await expect(read(Buffer.concat([Buffer.from('{"a": "'), Buffer.from(bytes), Buffer.from('"}')]))).rejects.toMatchObject({ code: 'InvalidBackup' })
    }
  })

  it('refuses one value that is too long, before it is held', async () => {
    const endless = (async function* () {
      yield new TextEncoder().encode('{"a": "')
      for (let piece = 0; piece < 1e6; piece++) yield new Uint8Array(65_536).fill(0x61)
    })()
    await expect(readLongJson(endless, { arrayKey: 'items', name: 'it', onItems() {}, valueBytesMax: 1e6 })).rejects.toMatchObject({ code: 'InvalidBackup' })
    await expect(read(`{"items": ["${'x'.repeat(2e6)}"]}`, 65_536, 1e6)).rejects.toMatchObject({ code: 'InvalidBackup' })
  })

  it('keeps hostile keys as keys', async () => {
    const { values } = await read('{"__proto__": {"polluted": 1}, "constructor": 2, "items": []}')
    expect([...values.keys()]).toEqual(['__proto__', 'constructor', 'items'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('the writer of long JSON', () => {
  it(`writes what Python writes for the whole (seed ${SEED})`, () => {
    const below = numbers(SEED)
    for (let round = 0; round < 100; round++) {
      const { items, ...fields } = randomDocument(below)
      const writer = createLongJsonWriter(fields, 'items')
      const parts: Uint8Array[] = []
      for (let at = 0; at < items.length; ) {
        const batch = items.slice(at, (at += below(4)))
        parts.push(writer.append(batch.map((item) => pythonJson(item, { indent: 2, sortKeys: true }).replaceAll('\n', '\n    '))))
      }
      parts.push(writer.end())
      expect(joined(parts)).toBe(pythonJson({ ...fields, items }, { indent: 2, sortKeys: true }))
    }
  })
})

function randomDocument(below: (bound: number) => number): Record<string, unknown> & { items: unknown[] } {
  const texts = ['', 'a', '"', '\\', '[', ']}', '{"', '\u0000\n', 'é\u2028😀', '\ud800', ',', ':', 'items']
  const value = (depth: number): unknown => {
    const kind = below(depth > 3 ? 4 : 6)
    if (kind === 0) return texts[below(texts.length)]
    if (kind === 1) return [0, -1, 1.5, 1e-7, 123_456_789_012][below(5)]
    if (kind === 2) return [true, false, null][below(3)]
    if (kind === 3) return []
    const children = Array.from({ length: below(4) }, (_, index) => [`${texts[below(texts.length)]}${index}`, value(depth + 1)] as const)
    return kind === 4 ? children.map(([, child]) => child) : Object.fromEntries(children)
  }
  const keys = ['alpha', 'beta', 'zeta', 'itemless']
  const fields = keys.slice(0, below(5)).map((key) => [key, value(1)] as const)
  return { ...Object.fromEntries(fields), items: Array.from({ length: below(6) }, () => value(1)) }
}
