/** `blockvault bench [DEVICE]`: what this machine gives. */
import type { Command } from '../command.ts'
import type { BenchRate } from '../host.ts'
import { workersOption } from '../options.ts'
import { formatBytes, formatRate, formatSeconds } from '../units.ts'

export const benchCommand: Command = {
  name: 'bench',
  summary: 'Measures how fast this machine reads, scans, compresses and encrypts.',
  positionals: [{ name: 'DEVICE', required: false, help: 'a block device or file to read; nothing is written to it' }],
  options: [],
  async run({ host, given, report }) {
    const rates: BenchRate[] = []
    await host.bench(given.positionals[0], {
      workers: workersOption(given),
      signal: host.interrupted,
      onLine(rate) {
        rates.push(rate)
        report.event('rate', rate, lineOf(rate))
      },
    })
    report.result({ rates }, {})
    return 0
  },
}

/** Printed as it is measured, so the columns are of fixed width. */
function lineOf({ name, bytes, seconds, note }: BenchRate): string {
  const rate = formatRate(bytes, seconds)
  return `${name.padEnd(20)} ${rate.padStart(14)}  ${formatBytes(bytes)} in ${formatSeconds(seconds)}${note === undefined ? '' : `, ${note}`}`
}
