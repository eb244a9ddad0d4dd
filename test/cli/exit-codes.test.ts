import { describe, expect, it } from 'vitest'
import { EXIT_CODES, exitCodeOf, exitCodesHelp } from '../../src/cli/exit-codes.ts'
import { ERROR_CODES, type ErrorCode } from '../../src/contract/errors.ts'
import { failing, systemWithRepository } from './fake-host.ts'

const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[]

describe('exit codes', () => {
  it('are these: the numbers are an interface', () => {
    expect(Object.keys(EXIT_CODES).map(Number)).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 130])
    expect(Object.fromEntries(errorCodes.map((code) => [code, exitCodeOf(code)]))).toMatchInlineSnapshot(`
      {
        "BACKUP_AMBIGUOUS": 15,
        "BACKUP_NOT_FOUND": 15,
        "BackupDriverException": 14,
        "BackupMetadataUnsupportedVersion": 11,
        "BackupNotFound": 15,
        "BackupOperationError": 14,
        "BackupRestoreCancel": 130,
        "CANCELLED": 130,
        "CLOSED": 1,
        "CORE_UNAVAILABLE": 1,
        "DATABASE_FAILED": 14,
        "DATABASE_UNSUPPORTED": 11,
        "EncryptedBackupOperationFailed": 4,
        "INTERNAL": 1,
        "InvalidBackup": 13,
        "InvalidConfigurationValue": 2,
        "InvalidInput": 2,
        "InvalidParameterValue": 2,
        "InvalidSnapshot": 3,
        "InvalidVolume": 3,
        "KEY_REFUSED": 12,
        "KEY_REQUIRED": 12,
        "KEY_WRONG": 12,
        "NotSupportedOperation": 2,
        "OBJECT_DAMAGED": 13,
        "OBJECT_EXISTS": 14,
        "OBJECT_MISSING": 13,
        "REPOSITORY_EXISTS": 11,
        "REPOSITORY_INVALID": 10,
        "REPOSITORY_MISSING": 10,
        "REPOSITORY_UNSUPPORTED": 11,
        "SOURCE_CHANGED": 3,
        "SOURCE_DENIED": 3,
        "SOURCE_MISSING": 3,
        "SOURCE_READ_FAILED": 3,
        "SOURCE_UNSUPPORTED": 3,
        "STORAGE_DENIED": 14,
        "STORAGE_FAILED": 14,
        "STORAGE_FULL": 14,
        "ServiceNotFound": 11,
        "TARGET_DENIED": 4,
        "TARGET_EXISTS": 4,
        "TARGET_FULL": 4,
        "TARGET_IN_USE": 4,
        "TARGET_IS_SOURCE": 4,
        "TARGET_TOO_SMALL": 4,
        "TARGET_UNSUPPORTED": 4,
        "TARGET_WRITE_FAILED": 4,
        "USAGE": 2,
        "VolumeNotFound": 15,
        "VolumeTypeNotFound": 15,
        "WORKER_FAILED": 1,
      }
    `)
  })
  it('are documented with every error code', () => {
    const help = exitCodesHelp()
    for (const code of errorCodes) expect(help).toContain(`${code} `)
    for (const meaning of Object.values(EXIT_CODES)) expect(help).toContain(meaning)
  })
  it.each(errorCodes)('a job that fails with %s exits with its code, in JSON too', async (code) => {
    const system = systemWithRepository({ failure: failing(code) })
    expect(await system.run('list', '--json')).toBe(exitCodeOf(code))
    expect(system.json().at(-1)).toEqual({
      type: 'error',
      code,
      message: `it failed with ${code}`,
      details: { offset: 4096 },
      exitCode: exitCodeOf(code),
    })
    expect(system.stderr()).toContain(`it failed with ${code}`)
    expect(system.repository.closed).toBe(1)
  })
  it('an error of no known kind is a defect: 1', async () => {
    const system = systemWithRepository({ failure: new TypeError('x is not a function') })
    expect(await system.run('list')).toBe(1)
    expect(system.stderr()).toContain('x is not a function')
    expect(system.stderr()).toContain('[INTERNAL]')
  })
})
