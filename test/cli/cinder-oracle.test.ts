/** `cinder export` beside the real Cinder: it imports the record, restores the backup, and goes on from there; `cinder restore` reads that. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { oracle, oracleMissing } from '../cinder/oracle.ts'
import { createUser } from '../node/command.ts'
import { digestOf, noise, overwrite } from '../node/content.ts'
import { workplace } from '../node/workplace.ts'

const VOLUME_ID = '3f1c2a44-0000-4000-8000-00000000abcd'

interface OracleRecord {
  backup: Record<string, unknown>
  parents: Record<string, unknown>[]
}

describe.skipIf(oracleMissing !== undefined)(`what is exported${oracleMissing === undefined ? '' : ` (skipped: ${oracleMissing})`}`, () => {
  it('is imported, restored and built on by Cinder', { timeout: 300_000 }, async () => {
    const place = workplace()
    const user = createUser(place)
    const [repository, store] = [place.path('repository'), place.path('store')]
    const repo = ['--repo', repository]
    await user.done('init', '--no-encryption', ...repo)
    const disk = place.file('disk', Buffer.concat([noise(1, 90_000), Buffer.alloc(70_000), Buffer.alloc(50_001, 'text ')]))

    const records: OracleRecord[] = []
    const imports = async (id: string, ...options: string[]) => {
      await user.done('cinder', 'export', id, store, ...repo, '--object-size', '64K', '--record', place.path('export.json'), ...options)
      await oracle(['import', '--file', place.path('export.json'), '--record', place.path('imported.json')])
      const record = JSON.parse(readFileSync(place.path('imported.json'), 'utf8')) as OracleRecord
      expect(record.backup).toMatchObject({ id, volume_id: VOLUME_ID, display_name: VOLUME_ID, status: 'available' })
      records.unshift({ ...record, parents: records.map(({ backup }) => backup) })
      writeFileSync(place.path('record.json'), JSON.stringify(records[0]))
      for (const fresh of [['--new'], []]) {
        const out = place.file('out', fresh.length > 0 ? '' : Buffer.alloc(210_001, 0xee))
        await oracle(['restore', '--record', place.path('record.json'), '--store', store, '--out', out, ...fresh])
        expect(digestOf(out), `${id} ${fresh}`).toBe(digestOf(disk))
      }
    }
    const full = await user.backup(disk, '--volume', VOLUME_ID, ...repo)
    await imports(full.id, '--compression', 'zstd', '--block-size', '4K')
    overwrite(disk, 60_000, Buffer.alloc(40_000))
    overwrite(disk, 205_000, noise(2, 5_001))
    const next = await user.backup(disk, '--volume', VOLUME_ID, ...repo)
    await imports(next.id, '--compression', 'bz2', '--parent', full.id)

    overwrite(disk, 100, noise(3, 5_000))
    const sizes = ['--file-size', '65536', '--block-size', '4096', '--compression', 'zlib']
    const args = [
      'backup',
      '--volume',
      disk,
      '--volume-id',
      VOLUME_ID,
      '--store',
      store,
      '--record',
      place.path('cinders.json'),
      '--parent',
      place.path('record.json'),
      ...sizes,
    ]
    const made = await oracle<{ id: string; object_count: number }>(args)
    expect(made.object_count).toBe(1)
    expect(await user.done('cinder', 'verify', store)).toMatchObject({ backups: 3, errors: [] })
    await user.done('cinder', 'restore', store, made.id, place.path('back'))
    expect(digestOf(place.path('back'))).toBe(digestOf(disk))
    // And into the repository, where it needs no other.
    await user.done('cinder', 'import', store, made.id, ...repo)
    await user.done('restore', made.id, place.path('again'), ...repo)
    expect(digestOf(place.path('again'))).toBe(digestOf(disk))
  })
})
