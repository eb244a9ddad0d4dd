/**
 * The library end to end: a generated volume into memory or a directory, by the number of workers and the share of
 * repeated chunks; a first backup, then one of the unchanged volume.
 *
 * Every case runs in a process of its own, so that memory and warm code are its own; the repository is opened before the
 * clock starts, with a key (no passphrase to stretch).
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openBenchRepository, type Target } from './engine.ts'
import { interleave, jsonReporter, machine, measureFunction, medianSample, MIB } from './harness.ts'
import { positiveInteger, printTable, say, sayMachine } from './harness.ts'
import type { Report, Sample } from './harness.ts'
import { generateVolume } from './volume.ts'

export const help = `pipeline [OPTIONS]    volume → repository through the library
  --size MIB           of the volume (default 1024)
  --workers N,…        (default 1 to the number of processors)
  --duplicates P,…     percent of the chunks that repeat another (default 0,50,99)
  --targets NAME,…     of memory, directory (default both)
  --seed N             of the volume (default 1)
  --runs N             the table has the medians (default 3)
  --work DIR           for volumes and repositories (default: the system's temporary directory)
  --json               JSON lines to stdout`

const TARGETS: readonly Target[] = ['memory', 'directory']

interface PipelineCase {
  target: Target
  workers: number
  duplicates: number
  volume: string
  repository: string
}

interface PipelineSample {
  first: Sample
  unchanged: Sample
  /** Of the first backup. */
  newBytes: number
  storedBytes: number
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '1024' },
      workers: { type: 'string', default: countsTo(os.availableParallelism()) },
      duplicates: { type: 'string', default: '0,50,99' },
      targets: { type: 'string', default: TARGETS.join() },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '3' },
      work: { type: 'string', default: os.tmpdir() },
      json: { type: 'boolean', default: false },
      case: { type: 'string' },
    },
  })
  if (values.case !== undefined) {
    process.stdout.write(JSON.stringify(await runCase(JSON.parse(values.case) as PipelineCase)))
    return 0
  }
  const bytes = positiveInteger('--size', values.size) * MIB
  const seed = positiveInteger('--seed', values.seed)
  const runs = positiveInteger('--runs', values.runs)
  const workers = values.workers.split(',').map((text) => positiveInteger('--workers', text))
  const shares = values.duplicates.split(',').map(percent)
  const targets = values.targets.split(',').map((text) => {
    const target = TARGETS.find((each) => each === text)
    if (target === undefined) throw new Error(`--targets ${text}: choose from ${TARGETS.join(', ')}`)
    return target
  })
  const work = path.join(path.resolve(values.work), `blockvault-pipeline-${process.pid}`)
  const report = jsonReporter(values.json)
  report(machine())
  sayMachine()
  try {
    mkdirSync(work, { recursive: true })
    const rows: string[][] = []
    for (const duplicates of shares) {
      const volume = path.join(work, `${duplicates}.img`)
      await writeVolume(volume, { bytes, seed, duplicates: duplicates / 100 })
      const repository = path.join(work, 'repository')
      const cases = targets.flatMap((target) => workers.map((count) => ({ target, workers: count, duplicates, volume, repository })))
      const samples = await interleave(
        cases.map((one) => ({ name: caseName(one), sample: () => Promise.resolve(spawnCase(one)) })),
        { runs },
      )
      rmSync(volume)
      for (const one of cases) rows.push(summarise(one, samples.get(caseName(one)) ?? [], bytes, report))
    }
    say(`\nA generated volume of ${bytes / MIB} MiB, encrypted, median of ${runs}; MiB/s of the volume · CPU seconds · peak RSS MiB\n`)
    printTable(['target', 'workers', 'duplicates', 'first', 'unchanged', 'stored MiB'], rows)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return 0
}

/** The measured part, in a process of its own. */
async function runCase(one: PipelineCase): Promise<PipelineSample> {
  const repository = await openBenchRepository(one.target, one.repository, one.workers)
  try {
    let stored = { newBytes: NaN, storedBytes: NaN }
    const backup = async (): Promise<void> => {
      stored = await repository.backup(one.volume)
    }
    const first = await measureFunction(backup)
    const { newBytes, storedBytes } = stored
    const unchanged = await measureFunction(backup)
    return { first, unchanged, newBytes, storedBytes }
  } finally {
    await repository.close()
  }
}

function spawnCase(one: PipelineCase): PipelineSample {
  rmSync(one.repository, { recursive: true, force: true })
  execFileSync('sync')
  const output = execFileSync(process.execPath, [process.argv[1] ?? '', 'pipeline', '--case', JSON.stringify(one)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const sample = JSON.parse(output) as PipelineSample
  say(`${caseName(one).padEnd(40)} ${sample.first.seconds.toFixed(2).padStart(6)} s ${sample.unchanged.seconds.toFixed(2).padStart(6)} s`)
  return sample
}

function caseName({ target, workers, duplicates }: PipelineCase): string {
  return `${target}, ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${duplicates} % duplicates`
}

/** Reports a case and returns its row of the table. */
function summarise(one: PipelineCase, samples: readonly PipelineSample[], bytes: number, report: Report): string[] {
  const { target, workers, duplicates } = one
  const last = samples.at(-1)
  const cells = (['first', 'unchanged'] as const).map((operation) => {
    const sample = medianSample(samples.map((each) => each[operation]))
    const mibPerSecond = bytes / MIB / sample.seconds
    const stored = operation === 'first' ? { newBytes: last?.newBytes, storedBytes: last?.storedBytes } : {}
    const what = { type: 'result', bench: 'pipeline', target, workers, duplicates, operation, volumeBytes: bytes, runs: samples.length }
    report({ ...what, ...sample, mibPerSecond, ...stored })
    return `${mibPerSecond.toFixed(0)} · ${sample.cpuSeconds?.toFixed(1)} · ${((sample.peakRssBytes ?? NaN) / MIB).toFixed(0)}`
  })
  return [target, String(workers), `${duplicates} %`, ...cells, ((last?.storedBytes ?? NaN) / MIB).toFixed(0)]
}

/** `1,2,…,count`. */
function countsTo(count: number): string {
  return Array.from({ length: count }, (_, index) => index + 1).join()
}

function percent(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value < 100)) throw new Error(`--duplicates ${text}: give percents from 0 to 99`)
  return value
}

async function writeVolume(file: string, volume: { bytes: number; seed: number; duplicates: number }): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (const piece of generateVolume(volume)) await handle.write(piece)
  } finally {
    await handle.close()
  }
}
