/** What `versus` found: three Markdown tables for people, one JSON line a tool and operation for machines. */
import { median, medianSample, MIB, printTable, say } from './harness.ts'
import type { Report, Sample } from './harness.ts'
import { isBackup, OPERATIONS } from './tools.ts'
import type { BackupOperation, Operation, Tool, ToolPaths } from './tools.ts'

/** One tool in the contest, and what was measured of it. */
export interface Contender {
  tool: Tool
  paths: ToolPaths
  version: string
  /** The first backup of this round. */
  id: string
  samples: Record<Operation, Sample[]>
  /** Bytes of the repository after each backup, one number a round. */
  repositoryBytes: Record<BackupOperation, number[]>
  /** Of the restored file. */
  allocatedBytes: number | null
  identical: boolean | null
  /** Why it sat out the rest. */
  error: string | null
}

export function summarise(contenders: readonly Contender[], imageBytes: number, report: Report): void {
  const rows = contenders.map((one) => ({
    one,
    name: one.tool.name,
    medians: OPERATIONS.map((operation) => (one.samples[operation].length === 0 ? undefined : medianSample(one.samples[operation]))),
  }))
  /** How many times as fast as the fastest peer of the column; undefined without a peer. */
  const times = (column: number, seconds: number): number | undefined => {
    const peers = rows.filter((row) => !row.one.tool.ours).flatMap((row) => row.medians[column]?.seconds ?? [])
    return peers.length === 0 ? undefined : Math.min(...peers) / seconds
  }
  const runs = Math.max(...contenders.map((one) => one.samples.first.length))

  say(`\nSeconds, and how many times as fast as the column's fastest peer (median of ${runs}, image of ${Math.round(imageBytes / MIB)} MiB)\n`)
  printTable(
    ['tool', ...OPERATIONS],
    rows.map(({ name, medians }) => [
      name,
      ...medians.map((sample, column) => {
        if (sample === undefined) return '–'
        const ratio = times(column, sample.seconds)
        return `${sample.seconds.toFixed(2)}${ratio === undefined ? '' : ` (${ratio.toFixed(2)}×)`}`
      }),
    ]),
  )
  say('\nCPU seconds · peak RSS MiB\n')
  printTable(
    ['tool', ...OPERATIONS],
    rows.map(({ name, medians }) => [
      name,
      ...medians.map((sample) => (sample === undefined ? '–' : `${sample.cpuSeconds?.toFixed(1) ?? '?'} · ${mib(sample.peakRssBytes, 0)}`)),
    ]),
  )
  say('\nMiB: the repository after the first backup, what each further one adds, what the restored file occupies\n')
  printTable(
    ['tool', 'repository', 'unchanged adds', 'later adds', 'restored', 'identical', 'version'],
    rows.map(({ one, name }) => [
      name,
      mib(middle(one, 'first'), 1),
      mib(difference(one, 'first', 'unchanged'), 2),
      mib(difference(one, 'unchanged', 'later'), 2),
      mib(one.allocatedBytes, 0),
      one.identical === null ? '–' : one.identical ? 'yes' : 'NO',
      one.version,
    ]),
  )
  sayNoise(contenders)

  for (const { one, name, medians } of rows) {
    for (const [column, operation] of OPERATIONS.entries()) {
      const sample = medians[column]
      if (sample === undefined) continue
      report({
        type: 'result',
        bench: 'versus',
        tool: name,
        version: one.version,
        note: one.tool.note,
        operation,
        runs: one.samples[operation].length,
        ...sample,
        mibPerSecond: imageBytes / MIB / sample.seconds,
        timesFastestPeer: times(column, sample.seconds),
        ...(isBackup(operation) ? { repositoryBytes: middle(one, operation) } : {}),
        ...(operation === 'restore' ? { allocatedBytes: one.allocatedBytes, identical: one.identical } : {}),
      })
    }
  }
}

/** More than this share of a core taken by others makes figures only indicative. */
const NOISE_CORES_MAX = 0.1

function sayNoise(contenders: readonly Contender[]): void {
  const samples = contenders.flatMap((one) => Object.values(one.samples).flat())
  const noise = samples.flatMap((sample) => (sample.otherCpuSeconds === null ? [] : sample.otherCpuSeconds / sample.seconds))
  if (noise.length === 0) return
  const [usual, worst] = [median(noise), Math.max(...noise)]
  say(`\nOther processes (and the kernel's writing) used ${usual.toFixed(2)} cores in the median run, ${worst.toFixed(2)} at worst.`)
  if (usual > NOISE_CORES_MAX) say('The machine was not quiet: these figures are only indicative.')
}

function middle(one: Contender, operation: BackupOperation): number | null {
  const bytes = one.repositoryBytes[operation]
  return bytes.length === 0 ? null : median(bytes)
}

function difference(one: Contender, before: BackupOperation, after: BackupOperation): number | null {
  const [small, large] = [middle(one, before), middle(one, after)]
  return small === null || large === null ? null : large - small
}

function mib(bytes: number | null, digits: number): string {
  return bytes === null ? '–' : (bytes / MIB).toFixed(digits)
}
