/**
 * Measures a function or a child process, and reports what it measured.
 *
 * One sample is wall time, CPU time of every thread (or of the child and its children), and peak resident memory. Runs
 * of several cases are interleaved, so that a noisy minute hurts all of them alike; the middle one is reported.
 * People read the tables on stderr, machines the JSON lines on stdout.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

export interface Sample {
  seconds: number
  /** User and system time, all threads. `null` where it can not be known. */
  cpuSeconds: number | null
  peakRssBytes: number | null
  /** CPU time the rest of the machine used meanwhile: the noise. `null` without /proc/stat. */
  otherCpuSeconds: number | null
}

/** Runs `work` once. Peak memory is this process's, counted from here on Linux and since its start elsewhere. */
export async function measureFunction(work: () => unknown): Promise<Sample> {
  resetPeakRss()
  const busyBefore = machineCpuSeconds()
  const cpuBefore = process.cpuUsage()
  const began = performance.now()
  const result = work()
  if (result instanceof Promise) await result
  const seconds = (performance.now() - began) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const cpuSeconds = (cpu.user + cpu.system) / 1e6
  return { seconds, cpuSeconds, peakRssBytes: peakRssBytes(), otherCpuSeconds: noise(busyBefore, cpuSeconds) }
}

export interface ProcessSample extends Sample {
  stdout: string
}

export interface ProcessOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/** GNU time reports a child's CPU time and memory; Node itself knows only its own. */
const GNU_TIME = '/usr/bin/time'

/** Runs one shell command (bash, pipefail) and rejects with the end of its stderr when it fails. */
export async function measureProcess(command: string, options: ProcessOptions = {}): Promise<ProcessSample> {
  const figures = path.join(os.tmpdir(), `blockvault-bench-${process.pid}.time`)
  // `exec`: for a plain command no shell stays in between
  const plain = !/&&|[<>|;]/.test(command)
  const bash = ['bash', '-o', 'pipefail', '-c', plain ? `exec ${command}` : command]
  const timed = existsSync(GNU_TIME)
  const [file = 'bash', ...args] = timed ? [GNU_TIME, '-q', '-o', figures, '-f', '%U %S %M', ...bash] : bash
  const busyBefore = machineCpuSeconds()
  const began = performance.now()
  const stdout: Buffer[] = []
  let stderr = ''
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => (stderr = (stderr + bytes.toString()).slice(-2000)))
    child.on('error', reject)
    child.on('close', resolve)
  })
  const seconds = (performance.now() - began) / 1000
  if (code !== 0) throw new Error(`exit ${code}: ${command}\n${stderr.trim()}`)
  const busyAfter = machineCpuSeconds()
  let cpuSeconds: number | null = null
  let peak: number | null = null
  if (timed) {
    const [user, system, rssKib] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
    rmSync(figures, { force: true })
    cpuSeconds = Number(((user ?? NaN) + (system ?? NaN)).toFixed(2))
    peak = (rssKib ?? NaN) * KIB
  }
  const otherCpuSeconds = noise(busyBefore, cpuSeconds, busyAfter)
  return { seconds, cpuSeconds, peakRssBytes: peak, otherCpuSeconds, stdout: Buffer.concat(stdout).toString('utf8') }
}

/** Into the page cache. */
export async function readOnce(file: string): Promise<void> {
  const handle = await open(file)
  const buffer = new Uint8Array(8 * MIB)
  try {
    while ((await handle.read(buffer)).bytesRead > 0);
  } finally {
    await handle.close()
  }
}

export interface Case<S> {
  name: string
  sample: () => Promise<S>
}

/** Takes `runs` samples of each case, round by round, the order turned by one each round; `warmups` rounds are thrown away. */
export async function interleave<S>(cases: readonly Case<S>[], options: { runs: number; warmups?: number }): Promise<Map<string, S[]>> {
  const samples = new Map<string, S[]>(cases.map((one) => [one.name, []]))
  const warmups = options.warmups ?? 0
  for (let round = 0; round < warmups + options.runs; round++) {
    for (const one of turned(cases, round)) {
      const sample = await one.sample()
      if (round >= warmups) samples.get(one.name)?.push(sample)
    }
  }
  return samples
}

/** The same items, beginning `by` places later. */
export function turned<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

/** Median of each figure on its own. */
export function medianSample(samples: readonly Sample[]): Sample {
  const middle = (pick: (sample: Sample) => number | null): number | null => {
    const known = samples.map(pick).filter((value) => value !== null)
    return known.length === 0 ? null : median(known)
  }
  return {
    seconds: middle((sample) => sample.seconds) ?? NaN,
    cpuSeconds: middle((sample) => sample.cpuSeconds),
    peakRssBytes: middle((sample) => sample.peakRssBytes),
    otherCpuSeconds: middle((sample) => sample.otherCpuSeconds),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2
}

/** Writes one JSON line; every line has a `type`. */
export type Report = (line: Readonly<Record<string, unknown>>) => void

/** JSON lines go to stdout when asked for, or when stdout is not a terminal. */
export function jsonReporter(asked: boolean): Report {
  if (!asked && process.stdout.isTTY) return () => {}
  const rounded = (_: string, value: unknown): unknown => (typeof value === 'number' ? round(value, 4) : value)
  return (line) => process.stdout.write(`${JSON.stringify(line, rounded)}\n`)
}

export function positiveInteger(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} ${text}: give a whole number, 1 or more`)
  return value
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Prints a Markdown table, to be read as it is or pasted into a README. Figures stand to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) => Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => (column === 0 ? (cells[0] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width)))
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  say([header, rule, ...rows].map(line).join('\n'))
}

/** What the figures were measured on; the first JSON line of every benchmark. */
export function machine(): Readonly<Record<string, unknown>> {
  return {
    type: 'machine',
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryMib: Math.round(os.totalmem() / MIB),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    runtime: `node ${process.versions.node}`,
    load: os.loadavg()[0],
    date: new Date().toISOString(),
  }
}

export function sayMachine(): void {
  const { cpu, cores, memoryMib, runtime, load } = machine()
  say(`${cores} × ${cpu}, ${memoryMib} MiB, ${runtime}, load ${Number(load).toFixed(2)} at the start`)
}

export function round(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : value
}

/** Forgets the peak so far (Linux: `5` into clear_refs resets VmHWM); elsewhere the peak is since the start. */
function resetPeakRss(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // no such file here: peakRssBytes() then says so by being the whole process's
  }
}

function peakRssBytes(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kib !== undefined) return Number(kib) * KIB
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * KIB
}

/** Clock ticks a second in /proc/stat: 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100

function machineCpuSeconds(): number | null {
  try {
    const ticks = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? []
    // all but idle (3) and iowait (4); guest time (8, 9) is already within user time
    return ticks.reduce((sum, value, field) => (field === 3 || field === 4 || field > 7 ? sum : sum + value), 0) / TICKS_A_SECOND
  } catch {
    return null
  }
}

function noise(before: number | null, own: number | null, after = machineCpuSeconds()): number | null {
  return before === null || own === null || after === null ? null : round(Math.max(0, after - before - own), 2)
}
