import { describe, expect, it } from 'vitest'
import { createProgressLine } from '../../src/cli/progress-line.ts'
import { formatFields, formatTable } from '../../src/cli/table.ts'
import { terminalText } from '../../src/cli/terminal-text.ts'
import { formatBytes, formatClock, formatRate, formatSeconds, formatTime } from '../../src/cli/units.ts'
import type { Progress } from '../../src/contract/backup.ts'

const GIB = 1024 ** 3

describe('units', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [4 * GIB, '4.0 GiB'],
    [1024 ** 4, '1.0 TiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
  it('say rates and times', () => {
    expect(formatRate(GIB, 2)).toBe('512.0 MiB/s')
    expect(formatRate(GIB, 0)).toBe('-')
    expect(formatSeconds(0.416)).toBe('0.42 s')
    expect(formatSeconds(12.34)).toBe('12.3 s')
    expect(formatSeconds(59.97)).toBe('1:00')
    expect(formatClock(7)).toBe('0:07')
    expect(formatClock(3600 * 26 + 9)).toBe('26:00:09')
    expect(formatTime('2025-01-02T03:04:05.678Z')).toBe('2025-01-02T03:04:05Z')
    expect(formatTime('2025-01-02T03:04:05Z')).toBe('2025-01-02T03:04:05Z')
  })
})

describe('terminal text', () => {
  it('has no control character and nothing that reorders', () => {
    expect(terminalText('a\u001b[2Jb\r\nc\u009bd\u202ee\u0000')).toBe('a\ufffd[2Jb\ufffd\ufffdc\ufffdd\ufffde\ufffd')
    expect(terminalText('größe 数据 🙂')).toBe('größe 数据 🙂')
  })
})

describe('a table', () => {
  it('aligns its columns and leaves no space at the end', () => {
    expect(
      formatTable(
        [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'TAGS' }],
        [
          ['a', '1 B', 'x=y'],
          ['longer', '1000 B', ''],
        ],
      ),
    ).toEqual(['NAME      SIZE  TAGS', 'a          1 B  x=y', 'longer  1000 B'])
  })
  it('keeps a hostile name on its line', () => {
    expect(formatTable([{ title: 'N' }], [['a\nb']])).toEqual(['N', 'a\ufffdb'])
    expect(formatFields([['name', 'a\u001bb']])).toEqual(['name  a\ufffdb'])
  })
})

describe('the progress line', () => {
  const progress = (fields: Partial<Progress>): Progress => ({
    phase: 'backup',
    doneBytes: 0,
    totalBytes: 4 * GIB,
    newBytes: 0,
    storedBytes: 0,
    ...fields,
  })
  const lines = (columns: number, ...steps: [ms: number, fields: Partial<Progress>][]) => {
    let ms = 0
    const line = createProgressLine(() => ms)
    return steps.map(([at, fields]) => {
      ms = at
      return line(progress(fields), columns)
    })
  }
  it('says percent, amount, rate, time left and what is new', () => {
    const last = lines(200, [0, {}], [1000, { doneBytes: GIB, newBytes: GIB / 2, storedBytes: GIB / 4 }]).at(-1)
    expect(last).toBe('backup [#####---------------]   25%  1.0 GiB of 4.0 GiB  1.0 GiB/s  0:03 left  new 512.0 MiB  stored 256.0 MiB')
  })
  it('leaves new and stored out of a restore', () => {
    expect(lines(200, [0, { phase: 'restore', doneBytes: GIB }])[0]).toBe('restore [#####---------------]   25%  1.0 GiB of 4.0 GiB  -  -:-- left')
  })
  it('takes the rate over the last seconds', () => {
    const last = lines(200, [0, {}], [1000, { doneBytes: 2 * GIB }], [10_000, { doneBytes: 2 * GIB }], [11_000, { doneBytes: 3 * GIB }]).at(-1)
    expect(last).toContain('1.0 GiB/s  0:01 left')
  })
  it('says 100 % only when all is done, and for an empty volume', () => {
    expect(lines(200, [0, { doneBytes: 4 * GIB - 1 }])[0]).toContain(' 99%')
    expect(lines(200, [0, { doneBytes: 4 * GIB }])[0]).toContain('100%')
    expect(lines(200, [0, { totalBytes: 0 }])[0]).toContain('100%')
  })
  it('never reaches the last column', () => {
    for (let columns = 1; columns < 150; columns++) {
      expect(lines(columns, [0, { doneBytes: GIB }])[0]!.length).toBeLessThan(columns)
    }
    expect(lines(0, [0, { doneBytes: GIB }])[0]!.length).toBeLessThan(80)
  })
})
