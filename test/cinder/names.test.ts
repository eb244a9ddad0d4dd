import { describe, expect, it } from 'vitest'
import { codecOf, COMPRESSION_NAMES, compressionName, compressionOption, recordedName } from '../../src/cinder/compression.ts'
import { isoOfPythonDateTime, pythonDateTime, pythonDateTimeDigits, recordTime } from '../../src/cinder/created-at.ts'
import {
  checkContainer,
  checkPrefix,
  dataObjectName,
  objectStorePrefix,
  parseObjectName,
  posixContainer,
  posixPrefix,
  prefixFacts,
  prefixInPath,
} from '../../src/cinder/names.ts'

const ids = { volumeId: 'v', backupId: 'abcdef', now: Date.UTC(2024, 1, 3, 4, 5, 6, 999) }

describe('object names', () => {
  it('number data objects with at least five digits', () => {
    expect([1, 99_999, 100_000].map((number) => dataObjectName('p', number))).toEqual(['p-00001', 'p-99999', 'p-100000'])
  })
  it('are taken apart by the exact grammar', () => {
    for (const number of [1, 42, 99_999, 100_000, 4_294_967_295]) {
      expect(parseObjectName(dataObjectName('p-00001', number))).toEqual({ prefix: 'p-00001', part: 'data', number })
    }
    expect(parseObjectName('p_metadata')).toEqual({ prefix: 'p', part: 'metadata', number: 0 })
    expect(parseObjectName('a/p_sha256file')).toEqual({ prefix: 'a/p', part: 'sha256file', number: 0 })
  })
  it.each([
    'p-00000',
    'p-1',
    'p-0001',
    'p-000001',
    'p-012345',
    'p-4294967296',
    'p-00001.tmp',
    'p-0000x',
    'p-00001 ',
    '-00001',
    '_metadata',
    'p_metadata2',
    'p',
    '',
    'p-',
  ])('%j is no object of a backup', (name) => {
    expect(parseObjectName(name)).toBeUndefined()
  })
})

describe('prefixes and containers', () => {
  it('are those of the drivers', () => {
    expect(posixPrefix(ids)).toBe('volume_v_20240203040506_backup_abcdef')
    expect(objectStorePrefix({ ...ids, availabilityZone: 'az 1/b' })).toBe('volume_v/20240203040506/az_az 1/b_backup_abcdef')
    expect(posixContainer('abcdef-1')).toBe('ab/cd/abcdef-1')
  })
  it('tell the ids that they were made of', () => {
    expect(prefixFacts(posixPrefix(ids))).toEqual({ volumeId: 'v', backupId: 'abcdef' })
    expect(prefixFacts(objectStorePrefix({ ...ids, availabilityZone: 'a/b' }))).toEqual({ volumeId: 'v', backupId: 'abcdef' })
    expect(prefixFacts('backup_of_mine')).toBeUndefined()
  })
  it('are found at the end of a path, whatever the container is', () => {
    const posix = posixPrefix(ids)
    const other = objectStorePrefix({ ...ids, availabilityZone: 'a/b' })
    for (const container of ['', 'bucket/', 'ab/cd/abcdef/', 'volume_x/20240101000000/az_y/']) {
      expect(prefixInPath(container + posix)).toBe(posix)
      expect(prefixInPath(container + other)).toBe(other)
    }
    expect(prefixInPath('a/b/mine')).toBe('mine')
  })
  it.each(['../x', 'a/../b', '..', '/etc', 'a//b', 'a/', './a', 'a/.', '', 'a\u0000b', 'a\nb', '\u007f', 'a\ud800', 'x'.repeat(256)])(
    '%j is refused as a container and as a prefix',
    (name) => {
      expect(() => checkContainer(name)).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
      expect(() => checkPrefix(name)).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
    },
  )
  it('say why they are refused', () => {
    expect(() => checkContainer('/etc')).toThrowError(/absolute path/)
    expect(() => checkPrefix('a/../b')).toThrowError(/`\.\.` for a part/)
  })
  it('are refused when an id leads elsewhere', () => {
    expect(() => posixPrefix({ ...ids, backupId: '../../etc/x' })).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
    expect(() => posixPrefix({ ...ids, volumeId: 'a/b' })).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
    expect(() => objectStorePrefix({ ...ids, availabilityZone: 'x/../../..' })).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
    expect(() => posixContainer('..')).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
  })
  it('may hold what Cinder lets them hold', () => {
    for (const name of ['shared', 'a/b/c', 'two words', 'élève', '...', 'a..b', 'x'.repeat(255)]) expect(checkContainer(name)).toBe(name)
  })
})

describe('times', () => {
  // Written by Python: str(datetime.datetime(…, tzinfo=datetime.timezone.utc)).
  it.each([
    ['2024-01-10T00:05:09.000Z', '2024-01-10 00:05:09+00:00'],
    ['2024-01-10T00:05:09.120Z', '2024-01-10 00:05:09.120000+00:00'],
    ['2024-01-10T00:05:09.000007Z', '2024-01-10 00:05:09.000007+00:00'],
    ['1969-12-31T23:59:59.500Z', '1969-12-31 23:59:59.500000+00:00'],
    ['0001-01-01T00:00:00.000Z', '0001-01-01 00:00:00+00:00'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31 23:59:59.999999+00:00'],
  ])('%s is %s', (iso, python) => {
    expect(pythonDateTime(iso)).toBe(python)
    expect(isoOfPythonDateTime(python)).toBe(iso)
  })
  it('with another zone, or none, are told in UTC', () => {
    expect(isoOfPythonDateTime('2024-03-01 01:30:00+02:00')).toBe('2024-02-29T23:30:00.000Z')
    expect(isoOfPythonDateTime('2014-03-01 01:30:00')).toBe('2014-03-01T01:30:00.000Z')
    expect(recordTime('2024-03-01T01:30:00.999-05:30')).toBe('2024-03-01T07:00:00Z')
  })
  it.each(['', 'now', '2024-02-30 00:00:00+00:00', '2024-01-10', '2024-01-10 24:00:00', '0000-01-01 00:00:00', '0001-01-01 00:00:00+01:00', '2024-1-1 1:1:1'])(
    '%j is none',
    (text) => expect(() => pythonDateTime(text)).toThrowError(expect.objectContaining({ code: 'InvalidInput' })),
  )
  it('name prefixes by the second', () => expect(pythonDateTimeDigits(Date.UTC(2024, 11, 31, 23, 59, 59, 999))).toBe('20241231235959'))
})

describe('compressions', () => {
  it('are known by all their names, in any case', () => {
    expect(COMPRESSION_NAMES.map((name) => [name, codecOf(name), recordedName(name)])).toEqual([
      ['none', undefined, 'none'],
      ['off', undefined, 'none'],
      ['no', undefined, 'none'],
      ['zlib', 'zlib', 'zlib'],
      ['gzip', 'zlib', 'gzip'],
      ['bz2', 'bz2', 'bz2'],
      ['bzip2', 'bz2', 'bzip2'],
      ['zstd', 'zstd', 'zstd'],
    ])
    expect(compressionName('GZip')).toBe('gzip')
  })
  it('of other names are refused', () => {
    for (const name of ['lz4', '', 'constructor', '__proto__']) expect(compressionName(name)).toBeUndefined()
    expect(() => compressionOption('lz4')).toThrowError(expect.objectContaining({ code: 'InvalidConfigurationValue' }))
    expect(compressionOption('BZ2')).toBe('bz2')
  })
})
