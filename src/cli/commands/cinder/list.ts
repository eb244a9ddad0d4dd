/** `blockvault cinder list STORE`: the backups of a store, from its objects alone. */
import { type ScannedBackup, scanStore, type StoreScan } from '../../../cinder/scan.ts'
import type { Command } from '../../command.ts'
import { exitCodeOf } from '../../exit-codes.ts'
import { formatTable } from '../../table.ts'
import { formatBytes, formatTime } from '../../units.ts'
import { STORE_ARGUMENT, withStore } from './store.ts'

export const cinderListCommand: Command = {
  name: 'cinder list',
  summary: "Lists the backups that Cinder's drivers made, without Cinder's database.",
  positionals: [STORE_ARGUMENT],
  options: [],
  notes: [
    'By volume, oldest first. A backup that can not be restored, because it was never finished or its parent is not there, is listed and says why.',
    `Exits with ${exitCodeOf('InvalidBackup')} when a manifest can not be read; the others are listed.`,
  ],
  async run(session) {
    const { host, given, report } = session
    const { backups, damaged } = await withStore(session, given.positionals[0]!, (store) => scanStore(store, { signal: host.interrupted }))
    report.result({ backups, damaged }, { answer: backups.length > 0 ? tableOf(backups) : [], summary: backups.length > 0 ? [] : ['No backups.'] })
    for (const complaint of complaints({ backups, damaged })) report.complain(complaint)
    return damaged.length > 0 ? exitCodeOf('InvalidBackup') : 0
  },
}

function tableOf(backups: readonly ScannedBackup[]): string[] {
  return formatTable(
    [
      { title: 'ID' },
      { title: 'CREATED' },
      { title: 'VOLUME' },
      { title: 'SIZE', align: 'right' },
      { title: 'DATA', align: 'right' },
      { title: 'STORED', align: 'right' },
      { title: 'KIND' },
      { title: 'NAME' },
    ],
    backups.map((backup) => [
      backup.id,
      backup.createdAt === null ? '-' : formatTime(backup.createdAt),
      backup.volumeId,
      backup.bytes === null ? '-' : formatBytes(backup.bytes),
      formatBytes(backup.dataBytes),
      formatBytes(backup.storedBytes),
      kindOf(backup),
      backup.name ?? '',
    ]),
  )
}

function kindOf({ complete, parentId, problem }: ScannedBackup): string {
  if (!complete) return 'incomplete'
  if (problem !== null) return 'broken'
  return parentId === null ? 'full' : 'incremental'
}

function complaints({ backups, damaged }: StoreScan): string[] {
  return [
    ...backups.flatMap(({ id, problem }) => (problem === null ? [] : [`backup ${id} can not be restored: ${problem}`])),
    ...damaged.map(({ id, container, prefix, message, code }) => `backup ${id ?? `${container}/${prefix}`} can not be read: ${message} [${code}]`),
  ]
}
