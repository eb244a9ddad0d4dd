/**
 * blockvault's posix driver beside Cinder's own, on the same image: backup, incremental of an unchanged volume, restore over an
 * existing volume, and a chain of five to a new one. Seconds are the job's: Cinder's import of its code and our start are left out of
 * both. Each restore reads the same store on both sides, and is compared.
 */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  copyFileSync,
  constants,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cinderFields, recordOfFields } from '../src/cinder/export-record.ts'
import type { BackupRecord } from '../src/contract/records.ts'
import type { CinderJob, CinderJobResult } from './cinder-job.ts'
import { GIB, jsonReporter, machine, measureProcess, median, MIB, positiveInteger, printTable, type ProcessSample, say, sayMachine } from './harness.ts'

export const help = `cinder --image FILE --oracle SCRIPT [OPTIONS]    blockvault's posix driver and Cinder's own on one disk image
  --image FILE       what is backed up: whole GiB, as Cinder's volumes are
  --oracle SCRIPT    cinder_oracle.py, which runs the real Cinder (its environment: CINDER_ORACLE_VENV)
  --compression NAME,…  default: none,zlib,zstd
  --runs N           rounds; the table has the medians (default 1: Cinder takes minutes)
  --work DIR         room for two stores and two images (default: beside the image)
  --json             JSON lines to stdout`

const JOB = 'dist/bench/cinder-job.js'
/** Backups of the chain that is restored to a new volume; between two, 64 places of 1 MiB change. */
const CHAIN = 5
const CHANGES = 64

interface Sides {
  ours: number
  cinder: number
  oursPeakBytes: number | null
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: 'string' },
      oracle: { type: 'string' },
      compression: { type: 'string', default: 'none,zlib,zstd' },
      runs: { type: 'string', default: '1' },
      work: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.image === undefined || values.oracle === undefined) throw new Error(`--image or --oracle is missing\n\n${help}`)
  if (!existsSync(JOB)) throw new Error(`${JOB} is missing: npm run build makes it`)
  const image = path.resolve(values.image)
  if (statSync(image).size % GIB !== 0) throw new Error(`${image} has ${statSync(image).size} bytes: Cinder's volumes have whole GiB`)
  const bench: Bench = { image, oracle: path.resolve(values.oracle), work: path.join(path.resolve(values.work ?? path.dirname(image)), 'cinder-work') }
  const report = jsonReporter(values.json)
  report(machine())
  sayMachine()
  const figures = new Map<string, Sides[]>()
  const note = (operation: string, sides: Sides) => {
    figures.set(operation, [...(figures.get(operation) ?? []), sides])
    report({ type: 'pair', operation, ...sides })
    say(`${operation}: ours ${sides.ours.toFixed(2)} s, Cinder ${sides.cinder.toFixed(2)} s`)
  }
  try {
    for (let round = 0; round < positiveInteger('--runs', values.runs); round++) {
      for (const compression of values.compression.split(',')) await compressionRound(bench, compression, note)
    }
  } finally {
    rmSync(bench.work, { recursive: true, force: true })
  }
  const rows = [...figures].map(([operation, sides]) => {
    const [ours, cinder] = [median(sides.map((each) => each.ours)), median(sides.map((each) => each.cinder))]
    const peak = Math.max(...sides.map(({ oursPeakBytes }) => oursPeakBytes ?? NaN)) / MIB
    report({ type: 'result', operation, ours, cinder, ratio: cinder / ours, oursPeakMib: peak })
    return [operation, ours.toFixed(2), cinder.toFixed(2), `${(cinder / ours).toFixed(1)}×`, peak.toFixed(0)]
  })
  printTable(['operation', 'blockvault s', 'Cinder s', 'times as fast', 'our peak MiB'], rows)
  return 0
}

interface Bench {
  image: string
  oracle: string
  work: string
}

async function compressionRound(bench: Bench, compression: string, note: (operation: string, sides: Sides) => void): Promise<void> {
  const { image, work } = bench
  rmSync(work, { recursive: true, force: true })
  const [theirs, ours, target] = [`${work}/theirs`, `${work}/ours`, `${work}/target.img`]
  mkdirSync(ours, { recursive: true })
  const backup: Omit<CinderJob, 'rows'> = { operation: 'backup', store: ours, compression, volume: image }

  await warm(image)
  const cinderFull = await oracle(bench, ['backup', '--volume', image, '--store', theirs, '--record', `${work}/full.json`, '--compression', compression])
  await warm(image)
  const full = await job(bench, { ...backup, rows: [] })
  note(`backup, ${compression}`, pair(full, cinderFull))

  await warm(image)
  const again = [
    'backup',
    '--volume',
    image,
    '--store',
    theirs,
    '--record',
    `${work}/again.json`,
    '--compression',
    compression,
    '--parent',
    `${work}/full.json`,
  ]
  const cinderAgain = await oracle(bench, again)
  await warm(image)
  const unchanged = await job(bench, { ...backup, rows: full.result.rows })
  note(`unchanged incremental, ${compression}`, pair(unchanged, cinderAgain))

  const [row] = full.result.rows as [BackupRecord]
  await fill(target, statSync(image).size)
  const cinderOver = await oracle(bench, ['restore', '--record', `${work}/full.json`, '--store', theirs, '--out', target])
  await fill(target, statSync(image).size)
  const over = await job(bench, { ...backup, operation: 'restore', store: theirs, volume: target, rows: [rowOf(`${work}/full.json`)] })
  await compare(target, image)
  note(`restore over a volume, ${compression}`, pair(over, cinderOver))

  // The chain goes on from our full backup; both restore it.
  const changing = `${work}/changing.img`
  copyFileSync(image, changing, constants.COPYFILE_FICLONE)
  let rows = [row]
  for (let step = 1; step < CHAIN; step++) {
    change(changing, step)
    rows = (await job(bench, { ...backup, volume: changing, rows })).result.rows
  }
  const record = `${work}/chain.json`
  const [newest, ...parents] = [...rows].reverse() as [BackupRecord, ...BackupRecord[]]
  const fields = { backup: cinderFields(newest), parents: parents.map(cinderFields), volume: { bytes: statSync(image).size } }
  writeFileSync(record, JSON.stringify({ format: 'cinder-oracle-record/1', driver: 'posix', options: {}, ...fields }))
  rmSync(target, { force: true })
  const cinderChain = await oracle(bench, ['restore', '--record', record, '--store', ours, '--out', target, '--new'])
  rmSync(target, { force: true })
  const chain = await job(bench, { ...backup, operation: 'restore', volume: target, rows, isNew: true })
  await compare(target, changing)
  note(`chain of ${CHAIN} to a new volume, ${compression}`, pair(chain, cinderChain))
}

interface OurSample extends ProcessSample {
  result: CinderJobResult
}

async function job({ work }: Bench, argument: CinderJob): Promise<OurSample> {
  const file = `${work}/job.json`
  writeFileSync(file, JSON.stringify(argument))
  const sample = await measureProcess(`${process.execPath} ${JOB} ${file}`)
  return { ...sample, result: JSON.parse(sample.stdout) as CinderJobResult }
}

async function oracle({ oracle }: Bench, args: readonly string[]): Promise<number> {
  const { stdout } = await measureProcess(['python3', oracle, ...args].join(' '))
  return (JSON.parse(stdout) as { seconds: number }).seconds
}

function pair(ours: OurSample, cinder: number): Sides {
  return { ours: ours.result.seconds, cinder, oursPeakBytes: ours.peakRssBytes }
}

/** The row in a record file of the oracle. */
function rowOf(file: string): BackupRecord {
  const { backup } = JSON.parse(readFileSync(file, 'utf8')) as { backup: Record<string, unknown> }
  return recordOfFields(backup).fields as BackupRecord
}

/** Reads the file once, so that both find it in the page cache. */
async function warm(file: string): Promise<void> {
  for await (const _ of createReadStream(file, { highWaterMark: 4 * MIB }));
}

/** A volume in use: no byte of it is zero. */
async function fill(file: string, bytes: number): Promise<void> {
  rmSync(file, { force: true })
  await measureProcess(`head -c ${bytes} /dev/zero | tr '\\0' '\\356' > ${file} && sync`)
}

function change(file: string, step: number): void {
  const places = statSync(file).size / MIB
  const fd = openSync(file, 'r+')
  for (let each = 0; each < CHANGES; each++) {
    const content = Buffer.alloc(MIB)
    // Text-like and random halves; the places follow from the step.
    for (let at = 0; at < MIB / 2; at += 32) content.set(createHash('sha256').update(`${step}/${each}/${at}`).digest(), at)
    content.fill(`change ${step}, place ${each}; `, MIB / 2)
    writeSync(fd, content, 0, MIB, ((each * 7919 + step * 104729) % places) * MIB)
  }
  closeSync(fd)
}

async function compare(target: string, image: string): Promise<void> {
  await measureProcess(`cmp ${target} ${image}`)
}
