import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCount, parseRange, parseSize, parseTags } from '../../src/cli/values.ts'

describe('a size', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['4K', 4096],
    ['4k', 4096],
    ['3M', 3 * 1024 ** 2],
    ['2G', 2 * 1024 ** 3],
    ['1T', 1024 ** 4],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))
  it.each(['', 'K', '-1', '+1', '1.5G', '1e3', '0x10', ' 1', '1 ', '1KB', '1P', '9007199254740992', '8192T', '99999999999999999', '١'])('%j is none', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  )
  it('is exact or refused, whatever the digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.constantFrom('', 'K', 'M', 'G', 'T'), (count, unit) => {
        const exact = count * 1024n ** BigInt(['', 'K', 'M', 'G', 'T'].indexOf(unit))
        const bytes = parseSize(`${count}${unit}`)
        if (bytes === undefined) expect(exact > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true)
        else expect(BigInt(bytes)).toBe(exact)
      }),
    )
  })
})

describe('a range', () => {
  it('is an offset and a length', () => {
    expect(parseRange('512M:64K')).toEqual({ offset: 512 * 1024 ** 2, length: 65536 })
    expect(parseRange('0:1')).toEqual({ offset: 0, length: 1 })
  })
  it.each(['', ':', '1', '1:', ':1', '0:0', '1:2:3', '-1:2', '1:-2', '1-2', 'x:1', '9007199254740991:1', '1:9007199254740991'])('%j is refused', (text) =>
    expect(() => parseRange(text)).toThrow(/OFFSET:LENGTH/),
  )
})

describe('a count', () => {
  it('lies within its bounds', () => {
    expect(parseCount('8', '--workers', { min: 1, max: 64 })).toBe(8)
    for (const text of ['0', '65', '-1', '1.5', '', 'two', '1e1', '0x4', '99999999999999999999', 'NaN', 'Infinity']) {
      expect(() => parseCount(text, '--workers', { min: 1, max: 64 })).toThrow(/--workers must be a whole number from 1 to 64/)
    }
  })
})

describe('tags', () => {
  it('are keys and values', () => {
    expect(parseTags(['a=b', 'c=', 'd=e=f'])).toEqual({ a: 'b', c: '', d: 'e=f' })
  })
  it('keep a key that is a name of every object', () => {
    const tags = parseTags(['__proto__=x'])
    expect(Object.entries(tags)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(tags)).toBe(Object.prototype)
  })
  it.each([[['a']], [['=b']], [['']]])('%j is refused', (words) => expect(() => parseTags(words)).toThrow(/KEY=VALUE/))
  it('are refused when one is given twice', () => expect(() => parseTags(['a=b', 'a=c'])).toThrow(/only once/))
})
