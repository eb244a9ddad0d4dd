import { describe, expect, it } from 'vitest'
import { isBackupId, originOf, originTags } from '../../src/cinder/origin.ts'
import { tagsSchema } from '../../src/repository/manifest.ts'
import { backupInfo } from '../cli/fake-host.ts'
import { backupIdOf, manifestOf, VOLUME_ID } from './support/manifests.ts'

const repositoryId = '00000000-0000-4000-8000-000000000001'

describe('what a backup keeps of Cinder', () => {
  it.each([
    [
      'everything',
      {
        backupName: 'n é',
        backupDescription: '',
        createdAt: '2024-01-10 00:05:09.000001+00:00',
        volumeMeta: JSON.stringify({ version: 2, text: 'é😀'.repeat(3000) }),
      },
    ],
    ['nothing but the volume', { backupName: null, backupDescription: null, volumeMeta: null }],
  ])('comes back: %s', async (_what, fields) => {
    const manifest = manifestOf(2, [], fields)
    const { tags, keepsVolumeMeta } = originTags(manifest)
    expect(keepsVolumeMeta).toBe(true)
    expect(tagsSchema.safeParse(tags).success).toBe(true)
    expect(tags['cinder.parent_id']).toBe(backupIdOf(1))
    expect(await originOf(backupInfo(1, { tags }), repositoryId)).toEqual({
      volumeId: VOLUME_ID,
      isKnownVolume: true,
      name: manifest.backupName,
      description: manifest.backupDescription,
      createdAt: manifest.createdAt === '2024-01-10 00:05:09+00:00' ? '2024-01-10T00:05:09.000Z' : '2024-01-10T00:05:09.000001Z',
      volumeMeta: manifest.volumeMeta,
    })
  })

  it('leaves out volume metadata that is too long for tags, and nothing else', () => {
    const { tags, keepsVolumeMeta } = originTags(manifestOf(1, [], { backupName: 'n', volumeMeta: 'x'.repeat(200_000) }))
    expect(keepsVolumeMeta).toBe(false)
    expect(Object.keys(tags)).toEqual(['cinder.volume_id', 'cinder.name', 'cinder.created_at'])
    expect(originTags(manifestOf(1, [], { volumeMeta: 'x'.repeat(128_000) })).keepsVolumeMeta).toBe(true)
  })

  it('is made up for a volume that Cinder never knew: one id for one volume of one repository', async () => {
    const ids = await Promise.all(
      [
        [backupInfo(1), repositoryId],
        [backupInfo(2), repositoryId],
        [backupInfo(1, { volume: 'vdc' }), repositoryId],
        [backupInfo(1), '00000000-0000-4000-8000-000000000002'],
      ].map(async ([info, repository]) => (await originOf(info as ReturnType<typeof backupInfo>, repository as string)).volumeId),
    )
    expect(ids[0]).toBe(ids[1])
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await originOf(backupInfo(1), repositoryId)).toMatchObject({
      isKnownVolume: false,
      name: 'vdb',
      description: null,
      volumeMeta: null,
      createdAt: backupInfo(1).createdAt,
    })
  })

  it('is the id that the volume was backed up by', async () => {
    expect(await originOf(backupInfo(1, { volume: VOLUME_ID }), repositoryId)).toMatchObject({ volumeId: VOLUME_ID, isKnownVolume: true })
  })

  it('is not what a hostile tag says', async () => {
    const tags = { 'cinder.volume_id': '../../etc', 'cinder.created_at': 'now', 'cinder.volume_meta.1': 'x' }
    const origin = await originOf(backupInfo(1, { tags }), repositoryId)
    expect(origin).toMatchObject({ isKnownVolume: false, createdAt: backupInfo(1).createdAt, volumeMeta: null })
    expect(isBackupId('x')).toBe(false)
    expect(isBackupId(backupIdOf(1))).toBe(true)
  })
})
