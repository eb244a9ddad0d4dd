/** Texts and times in rows come out as they went in, whatever they are. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeText, unescapeText } from '../../src/database/text.ts'
import { timeFromRow, timeToRow } from '../../src/database/time.ts'

/** Any UTF-16 units, those that have to be escaped more often than others. */
const anyText = fc
  .array(fc.oneof(fc.constantFrom(0, 0xffff, 0xd83d, 0xdcbe, 0x30, 0x66), fc.integer({ min: 0, max: 0xffff })), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units))

describe('a text in a row', () => {
  it('is the same afterwards, and in between one that every database holds', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const stored = escapeText(text)
        expect(stored).not.toContain('\0')
        expect(new TextDecoder().decode(new TextEncoder().encode(stored))).toBe(stored)
        expect(unescapeText(stored)).toBe(text)
      }),
      { numRuns: 3000 },
    )
  })

  it('is as it reads when nothing in it has to be escaped', () => {
    for (const text of ['', "it's", 'C:\\x', 'Größe', '备份', '💾', '\ufffe', '%\n\t']) expect(escapeText(text)).toBe(text)
  })
})

describe('a time in a row', () => {
  const time = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  const digits = fc.integer({ min: 0, max: 999_999 }).map((fraction) => String(fraction).padStart(6, '0'))
  const anyTime = fc.tuple(time, digits).map(([date, fraction]) => `${date.toISOString().slice(0, 19)}.${fraction}Z`)

  it('keeps its microseconds, and sorts as text as it does in time', () => {
    fc.assert(
      fc.property(anyTime, anyTime, (left, right) => {
        const [first, second] = [timeToRow(left), timeToRow(right)]
        expect(first).toBe(left)
        expect(timeFromRow(first ?? '')).toBe(left.replace(/000Z$/, 'Z'))
        expect((first ?? '') < (second ?? '')).toBe(left < right)
      }),
      { numRuns: 1000 },
    )
  })

  it('is one in UTC that exists, with at most microseconds', () => {
    for (const wrong of ['', '2024-02-30T00:00:00Z', '2024-01-01T24:00:00Z', '2024-13-01T00:00:00Z', '2024-01-01 00:00:00Z', '2024-01-01T00:00:00+00:00']) {
      expect(timeToRow(wrong), wrong).toBeUndefined()
    }
    for (const wrong of [
      '2024-01-01T00:00:00.1234567Z',
      '2024-01-01T00:00:00.Z',
      '2024-01-01T00:00:60Z',
      '+012024-01-01T00:00:00Z',
      '2024-01-01T00:00:00Z\n',
    ]) {
      expect(timeToRow(wrong), wrong).toBeUndefined()
    }
  })
})
