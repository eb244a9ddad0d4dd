/** The contract as the product's owner gave it (Cinder's documentation of cinder.backup.driver), walked name by name. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Base } from '../../src/contract/base.ts'
import { BackupDriver } from '../../src/contract/backup-driver.ts'
import { BackupMetadataAPI } from '../../src/contract/backup-metadata-api.ts'
import { ERROR_CODES } from '../../src/contract/errors.ts'
import { ExampleBackupDriver } from '../service/example-driver.ts'
import { memoryContext, shared } from './support.ts'

/** Each name of the documentation, with its parameters; `abstract` where the class leaves it to drivers. */
const CONTRACT: Readonly<Record<string, Readonly<Record<string, { parameters: string[]; abstract?: true } | { value: string }>>>> = {
  BackupDriver: {
    constructor: { parameters: ['context'] },
    backup: { parameters: ['backup', 'volume_file', 'backup_metadata=False'], abstract: true },
    check_for_setup_error: { parameters: [] },
    delete_backup: { parameters: ['backup'], abstract: true },
    export_record: { parameters: ['backup'] },
    get_metadata: { parameters: ['volume_id'] },
    import_record: { parameters: ['backup', 'driver_info'] },
    put_metadata: { parameters: ['volume_id', 'json_metadata'] },
    restore: { parameters: ['backup', 'volume_id', 'volume_file', 'volume_is_new'], abstract: true },
  },
  BackupMetadataAPI: {
    constructor: { parameters: ['context'] },
    TYPE_TAG_VOL_BASE_META: { value: 'volume-base-metadata' },
    TYPE_TAG_VOL_GLANCE_META: { value: 'volume-glance-metadata' },
    TYPE_TAG_VOL_META: { value: 'volume-metadata' },
    get: { parameters: ['volume_id'] },
    put: { parameters: ['volume_id', 'json_metadata'] },
  },
}

const CLASSES = { BackupDriver, BackupMetadataAPI }
const camelCase = (name: string) => (/^[A-Z_]+$/.test(name) ? name : name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))

describe.each(Object.entries(CONTRACT))('%s', (className, names) => {
  const contractClass = CLASSES[className as keyof typeof CLASSES]

  it('is a Base, and is made of a context', async () => {
    const context = await memoryContext()
    const instance = className === 'BackupDriver' ? new ExampleBackupDriver(context) : new BackupMetadataAPI(context)
    expect(instance).toBeInstanceOf(contractClass)
    expect(instance).toBeInstanceOf(Base)
    expect(instance.db).toBe(context.database)
    expect(instance.context).toBe(context)
  })

  it.each(Object.entries(names).filter(([name]) => name !== 'constructor'))('has %s', async (name, wanted) => {
    const instance = className === 'BackupDriver' ? new ExampleBackupDriver(await memoryContext()) : new BackupMetadataAPI(await memoryContext())
    const member = (instance as unknown as Record<string, unknown>)[camelCase(name)]
    if ('value' in wanted) return void expect(member).toBe(wanted.value)
    expect(member).toBeTypeOf('function')
    expect(Object.hasOwn(contractClass.prototype, camelCase(name)), 'defined by the contract itself unless abstract').toBe(!wanted.abstract)
    // Python's defaults are an options object here: it counts as no parameter.
    const required = wanted.parameters.filter((parameter) => !parameter.includes('='))
    expect((member as (...parameters: unknown[]) => unknown).length).toBe(required.length)
  })
})

describe('what the documentation says beside the names', () => {
  it('export_record gives {}, import_record nothing, check_for_setup_error nothing, and force delete is not supported', async () => {
    class Smallest extends BackupDriver {
      backup = async () => undefined
      restore = async () => {}
      deleteBackup = async () => {}
    }
    const driver = new Smallest(await memoryContext())
    const backup = { id: 'b' } as never
    expect(await driver.exportRecord(backup)).toEqual({})
    expect(await driver.importRecord(backup, { any: 'thing' })).toBeUndefined()
    expect(await driver.checkForSetupError()).toBeUndefined()
    expect(driver.supportForceDelete).toBe(false)
    expect(driver.backupMetadataApi).toBeInstanceOf(BackupMetadataAPI)
  })

  it('the exceptions it names are error codes', () => {
    expect(ERROR_CODES).toHaveProperty('BackupRestoreCancel')
    expect(ERROR_CODES).toHaveProperty('BackupMetadataUnsupportedVersion')
  })
})

const seedFolder = fileURLToPath(new URL('../../../shared/seed', import.meta.url))

describe.skipIf(shared('seed/000_d4894ca694f9598f.txt') === undefined)('the document itself', () => {
  it('has the names above and no others', () => {
    const text = readdirSync(seedFolder)
      .sort()
      .map((name) => shared(`seed/${name}`))
      .join('\n')
    const found: Record<string, Record<string, unknown>> = {}
    let current: Record<string, unknown> = {}
    for (const [, isAbstract, isClass, name = '', parameters, value] of text.matchAll(/^- (abstract )?(class )?(\w+)(?:\(([^)]*)\)| = '([^']*)')¶$/gm)) {
      const split = parameters === undefined || parameters === '' ? [] : parameters.split(', ')
      if (isClass) {
        current = { constructor: { parameters: split } }
        found[name] = current
      } else current[name] = value === undefined ? { parameters: split, ...(isAbstract ? { abstract: true } : {}) } : { value }
    }
    expect(found).toEqual(CONTRACT)
  })
})
