/** `blockvault cinder export BACKUP STORE`: writes a backup of the repository as Cinder's posix driver would have written it. */
import { loadChain } from '../../../cinder/chain.ts'
import { COMPRESSION_NAMES, type CompressionName, compressionName } from '../../../cinder/compression.ts'
import { pythonDateTime } from '../../../cinder/created-at.ts'
import { encodeExportRecord, type ExportRecord } from '../../../cinder/export-record.ts'
import { describeHashes } from '../../../cinder/hash-stream.ts'
import { MANIFEST_VERSION } from '../../../cinder/metadata.ts'
import { posixContainer, posixPrefix } from '../../../cinder/names.ts'
import { exportedRow, type Origin, originOf } from '../../../cinder/origin.ts'
import type { FoundBackup, StoreIndex } from '../../../cinder/store-index.ts'
import { type WrittenBackup, writeBackup } from '../../../cinder/write-backup.ts'
import type { Repository } from '../../../contract/backup.ts'
import { BlockvaultError } from '../../../contract/errors.ts'
import type { ObjectStore } from '../../../contract/object-store.ts'
import { utf8 } from '../../../core/bytes.ts'
import type { Arguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import type { CommandHost } from '../../host.ts'
import { BACKUP_HELP } from '../../options.ts'
import { asBlockvaultError } from '../../report.ts'
import { openRepository, type Session, withRepository } from '../../session.ts'
import { formatBytes, formatCount, formatSeconds } from '../../units.ts'
import { usageError } from '../../usage.ts'
import { parseSize } from '../../values.ts'
import { type Engine, withEngine } from './engine.ts'
import { findBackup, openIndex, STORE_ARGUMENT, withStore } from './store.ts'

/** Cinder's `backup_file_size` and `backup_sha_block_size_bytes`. */
const OBJECT_BYTES = 61_035 * 32_768
const BLOCK_BYTES = 32_768

export const cinderExportCommand: Command = {
  name: 'cinder export',
  summary: "Writes a backup as Cinder's posix driver would have written it.",
  positionals: [{ name: 'BACKUP', help: BACKUP_HELP }, STORE_ARGUMENT],
  options: [
    { name: '--compression', value: 'NAME', help: `${COMPRESSION_NAMES.join(', ')}; zlib by default, as in Cinder` },
    { name: '--object-size', value: 'BYTES', help: `of the volume in one object, a multiple of the block size; ${OBJECT_BYTES} by default, as in Cinder` },
    { name: '--block-size', value: 'BYTES', help: `that are hashed together; ${BLOCK_BYTES} by default, as in Cinder, or what the parent has` },
    { name: '--parent', value: 'ID', help: 'a backup of the same volume in STORE: only what changed since then is written' },
    { name: '--record', value: 'FILE', help: "also write the record that Cinder's `backup-import` takes; an existing file is replaced" },
  ],
  notes: [
    'The backup keeps its id, and one that came from Cinder its volume, name, time and volume metadata.',
    'A volume is known to Cinder by its id: --parent needs a backup that came from Cinder, or one that was made with `backup --volume ID`, or exported before.',
  ],
  async run(session) {
    const options = exportOptions(session.given)
    const [reference, place] = session.given.positionals as [string, string]
    const exported = await withRepository(openRepository(session), (repository) =>
      withStore(session, place, (store) => withEngine(session, (engine) => exportBackup({ session, repository, store, engine, options, reference }))),
    )
    const { id, container, objects, newBytes, storedBytes, seconds, parentId } = exported
    session.report.result(exported, {
      summary: [
        `Exported ${id} to ${container} in ${place}: ${formatCount(objects, 'object')}, ${formatBytes(newBytes)} in ${formatBytes(storedBytes)}, ${formatSeconds(seconds)}.`,
        ...(parentId === null ? [] : [`It builds on ${parentId}.`]),
      ],
    })
    return 0
  },
}

interface ExportOptions {
  compression: CompressionName
  /** `undefined`: Cinder's default, or the next below it that is a multiple of the block size. */
  objectBytes: number | undefined
  /** `undefined`: the parent's, or Cinder's default. */
  blockBytes: number | undefined
  parent: string | undefined
  recordFile: string | undefined
}

function exportOptions(given: Arguments): ExportOptions {
  const name = given.value('--compression') ?? 'zlib'
  const compression = compressionName(name)
  if (compression === undefined) throw usageError(`--compression must be one of ${COMPRESSION_NAMES.join(', ')}, not '${name}'`)
  const blockBytes = sizeOption(given, '--block-size')
  const objectBytes = sizeOption(given, '--object-size')
  if (objectBytes !== undefined && blockBytes !== undefined && objectBytes % blockBytes !== 0)
    throw usageError(`--object-size must be a multiple of --block-size, ${blockBytes}, and ${objectBytes} is none`)
  return { compression, objectBytes, blockBytes, parent: given.value('--parent'), recordFile: given.value('--record') }
}

function sizeOption(given: Arguments, name: '--object-size' | '--block-size'): number | undefined {
  const text = given.value(name)
  if (text === undefined) return undefined
  const bytes = parseSize(text)
  if (bytes === undefined || bytes === 0) throw usageError(`${name} must be a number of bytes above 0, with K, M or G behind it if wanted, not '${text}'`)
  return bytes
}

interface ExportJob {
  session: Session
  repository: Repository
  store: ObjectStore
  engine: Engine
  options: ExportOptions
  reference: string
}

async function exportBackup({ session, repository, store, engine, options, reference }: ExportJob) {
  const { host, report } = session
  const startedAt = engine.platform.now()
  const info = await repository.show(reference)
  const origin = await originOf(info, repository.id)
  // A store that is not there yet is an empty one: its first container makes it.
  const index = (await store.containerExists('')) ? await openIndex(store, session) : undefined
  await refuseExisting(index, info.id, store)
  const parent = options.parent === undefined ? undefined : await findParent(options.parent, { store, index, origin, session })
  const blockBytes = options.blockBytes ?? (parent ? (await describeHashes(store, parent, host.interrupted)).blockBytes : BLOCK_BYTES)

  const container = posixContainer(info.id)
  const prefix = posixPrefix({ volumeId: origin.volumeId, backupId: info.id, now: startedAt })
  const source = await repository.openBackup(info.id, { signal: host.interrupted })
  let written: WrittenBackup | undefined
  try {
    await store.createContainer(container, { signal: host.interrupted })
    written = await writeBackup({
      store,
      container,
      prefix,
      ports: engine.pool.ports,
      source,
      description: {
        version: MANIFEST_VERSION,
        backupId: info.id,
        volumeId: origin.volumeId,
        backupName: origin.name,
        backupDescription: origin.description,
        createdAt: pythonDateTime(origin.createdAt),
      },
      parent,
      objectBytes: options.objectBytes ?? Math.max(blockBytes, OBJECT_BYTES - (OBJECT_BYTES % blockBytes)),
      blockBytes,
      compression: options.compression,
      volumeMeta: async () => origin.volumeMeta,
      now: engine.platform.now,
      signal: host.interrupted,
      onProgress: report.progress,
    })
  } finally {
    await source.close()
  }
  const { objects, newBytes, storedBytes } = written!
  const record = exportedRow(info, origin, { container, serviceMetadata: prefix, parentId: parent?.id ?? null, objectCount: objects.count })
  const exported = encodeExportRecord(record)
  if (options.recordFile !== undefined) await writeRecord(host, options.recordFile, exported)
  const { id, parentId, volumeId } = record
  return {
    id,
    parentId,
    volumeId,
    container,
    prefix,
    bytes: info.volumeBytes,
    objects: objects.count,
    newBytes,
    storedBytes,
    seconds: (engine.platform.now() - startedAt) / 1000,
    record: exported,
  }
}

/** The backup is whole by now, and says so: the record is in the error's details, to be kept by other means. */
async function writeRecord(host: CommandHost, path: string, record: ExportRecord): Promise<void> {
  await host.writeFile(path, utf8(`${JSON.stringify(record, undefined, 2)}\n`)).catch((error: unknown) => {
    const { code, message } = asBlockvaultError(error)
    throw new BlockvaultError(code, `The backup was exported, but its record could not be written: ${message}`, { details: { ...record }, cause: error })
  })
}

/** One id lies in one place: a second one could not be told from it. */
async function refuseExisting(index: StoreIndex | undefined, id: string, store: ObjectStore): Promise<void> {
  const existing = index?.backups.find(({ facts, hasMetadata }) => hasMetadata && facts?.backupId === id)
  if (!existing) return
  throw new BlockvaultError('OBJECT_EXISTS', `Backup ${id} is in ${store.description} already, at ${existing.path}. Remove it first to export it again.`, {
    details: { id },
  })
}

/** The whole chain is looked at: an incremental on a broken one could never be restored. */
async function findParent(
  id: string,
  { store, index, origin, session }: { store: ObjectStore; index: StoreIndex | undefined; origin: Origin; session: Session },
): Promise<FoundBackup> {
  if (!index) throw new BlockvaultError('BackupNotFound', `Backup ${id} could not be found: there is no store at ${store.description}.`, { details: { id } })
  const parent = await findBackup(index, id, store)
  await loadChain(store, id, { locate: index.find, signal: session.host.interrupted })
  const { volumeId } = parent.manifest
  if (volumeId === origin.volumeId) return parent
  const next = origin.isKnownVolume ? 'Choose a backup of the same volume.' : 'Make the backup with `backup --volume ID`, or export it without --parent.'
  throw new BlockvaultError('InvalidBackup', `Backup ${id} is of volume ${volumeId}, and this one of ${origin.volumeId}. ${next}`, {
    details: { id, volumeId, wanted: origin.volumeId },
  })
}
