import { describe, expect, it } from 'vitest'
import { isoOfPythonDateTime, pythonDateTime, recordTime } from '../../src/cinder/created-at.ts'
import { decodeBackupUrl, encodeExportRecord, importUpdates } from '../../src/cinder/export-record.ts'
import { encodeManifest, readManifest } from '../../src/cinder/metadata.ts'
import { objectStorePrefix, parseObjectName, posixContainer, posixPrefix } from '../../src/cinder/names.ts'
import { createSha256FileWriter, readSha256File } from '../../src/cinder/sha256file.ts'
import type { BackupRecord } from '../../src/contract/records.ts'
import { FIXTURES_PRESENT, fixtureSteps, objectBytes } from './support/fixtures.ts'
import { joined, piecesOf } from './support/pieces.ts'

describe.skipIf(!FIXTURES_PRESENT)('what Cinder wrote', () => {
  it('is 20 backups', () => expect(fixtureSteps).toHaveLength(20))

  describe.each(fixtureSteps)('$title', (step) => {
    const { prefix, backupId, volumeId, parentId } = step

    it('has a manifest that is read and written again byte by byte', async () => {
      const stored = objectBytes(step, '_metadata')
      for (const pieceBytes of [1, 7, 4096]) {
        const manifest = await readManifest(piecesOf(stored, pieceBytes), { prefix })
        expect(manifest).toMatchObject({ version: '1.0.0', backupId, volumeId, parentId })
        expect(manifest.objects.count).toBe(step.objectCount)
        expect(joined(encodeManifest(manifest, prefix))).toBe(stored.toString('latin1'))
      }
    })

    it('has a list of hashes that is read and written again byte by byte', async () => {
      const stored = objectBytes(step, '_sha256file')
      const batches: Uint8Array[] = []
      const file = await readSha256File(piecesOf(stored, 1000), { prefix, onHashes: (hashes) => batches.push(hashes) })
      const blockBytes = Number(step.options['block-size'])
      expect(file).toMatchObject({ blockBytes, blocks: Math.ceil(step.volumeBytes / blockBytes), backupId, volumeId })
      const writer = createSha256FileWriter(file)
      expect(joined([...batches.map(writer.append), writer.end()])).toBe(stored.toString('latin1'))
    })

    it('has a record that is decoded and encoded again as it was', () => {
      const decoded = decodeBackupUrl(step.exported.backup_url)
      expect(decoded).toMatchObject({ driverInfo: {}, unknown: [], fields: { id: backupId, volumeId, parentId, serviceMetadata: prefix } })
      expect(encodeExportRecord(decoded.fields as BackupRecord)).toEqual(step.exported)
      expect(importUpdates(decoded, backupId)).toMatchObject({ container: step.container, volumeId, parentId })
    })

    it('has the names that ours would have', () => {
      const digits = /\d{14}/.exec(prefix.replace(volumeId, ''))![0]
      const now = Date.parse(digits.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'))
      const zone = /\/az_(.*)_backup_/.exec(prefix)?.[1]
      const ids = { volumeId, backupId, now }
      expect(zone === undefined ? posixPrefix(ids) : objectStorePrefix({ ...ids, availabilityZone: zone })).toBe(prefix)
      if (zone === undefined && step.container !== 'shared') expect(posixContainer(backupId)).toBe(step.container)
      expect(parseObjectName(`${prefix}_metadata`)).toEqual({ prefix, part: 'metadata', number: 0 })
    })

    it('has times that are the same text after both conversions', async () => {
      const { createdAt } = await readManifest(piecesOf(objectBytes(step, '_metadata')), { prefix })
      expect(pythonDateTime(isoOfPythonDateTime(createdAt!))).toBe(createdAt)
      expect(recordTime(isoOfPythonDateTime(createdAt!))).toBe(step.row['created_at'])
    })
  })
})
