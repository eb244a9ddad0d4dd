import { describe, expect, it } from 'vitest'
import type { Progress } from '../../src/contract/backup.ts'
import { fakeSystem, SOURCE, systemWithRepository } from './fake-host.ts'

const progress: Progress[] = Array.from({ length: 11 }, (_, index) => ({
  phase: 'backup',
  doneBytes: index * 1024 ** 2,
  totalBytes: 10 * 1024 ** 2,
  newBytes: 0,
  storedBytes: 0,
}))

describe('progress', () => {
  it('is one line on a terminal, cleared before the summary', async () => {
    const system = systemWithRepository({ progress })
    system.terminal = { columns: 120 }
    expect(await system.run('backup', SOURCE)).toBe(0)
    expect(system.stderr().split('\r').length).toBe(1 + progress.length + 1)
    expect(system.stderr()).not.toContain('\n')
    expect(system.stderr().endsWith('\r\u001b[K')).toBe(true)
    expect(system.stdout().split('\n')).toHaveLength(3)
  })
  it.each([['--quiet'], ['--no-progress'], ['--json']])('is not drawn with %s', async (option) => {
    const system = systemWithRepository({ progress })
    system.terminal = { columns: 120 }
    expect(await system.run('backup', SOURCE, option)).toBe(0)
    expect(system.stderr()).toBe('')
  })
  it('is not drawn into a file', async () => {
    const system = systemWithRepository({ progress })
    expect(await system.run('backup', SOURCE)).toBe(0)
    expect(system.stderr()).toBe('')
  })
  it('is an object at most every second with --json, and the result is last', async () => {
    // The fake takes 400 ms a step, so every third is told.
    const system = systemWithRepository({ progress })
    expect(await system.run('backup', SOURCE, '--json')).toBe(0)
    expect(system.json().map(({ type }) => type)).toEqual(['progress', 'progress', 'progress', 'progress', 'result'])
    expect(system.json()[1]).toEqual({ type: 'progress', ...progress[3] })
  })
  it.each([['--quiet'], ['--no-progress']])('is no object with --json %s', async (option) => {
    const system = systemWithRepository({ progress })
    expect(await system.run('backup', SOURCE, '--json', option)).toBe(0)
    expect(system.json().map(({ type }) => type)).toEqual(['result'])
  })
})

describe('an interruption', () => {
  it('cancels the job, says so and exits with 130', async () => {
    const system = systemWithRepository({ progress })
    system.terminal = { columns: 120 }
    const { now } = system.host
    system.host.now = () => {
      if (now() > 2000) system.interrupt.abort()
      return now()
    }
    expect(await system.run('backup', SOURCE)).toBe(130)
    expect(system.stderr()).toContain('\r\u001b[Kblockvault: stopping; press Ctrl-C again to end at once\n')
    expect(system.stderr()).toContain('[CANCELLED]')
    expect(system.stdout()).toBe('')
    expect(system.repository.closed).toBe(1)
  })
})

describe('a failure', () => {
  it('of the command line is JSON too when JSON was asked for', async () => {
    const system = fakeSystem()
    expect(await system.run('backup', '--json')).toBe(2)
    expect(system.json()).toEqual([{ type: 'error', code: 'USAGE', message: expect.stringContaining("'backup' needs SOURCE"), details: {}, exitCode: 2 }])
    expect(system.stderr()).toContain("'backup' needs SOURCE")
  })
  it('is not JSON when --json is an argument', async () => {
    const system = fakeSystem()
    expect(await system.run('show', '--', 'a', '--json')).toBe(2)
    expect(system.stdout()).toBe('')
  })
  it('keeps control characters from the terminal', async () => {
    const system = fakeSystem()
    expect(await system.run('show', 'a', '\u001b[2J\n')).toBe(2)
    expect(system.stderr()).toContain("'\ufffd[2J\ufffd'")
  })
  it('to write the output is no success', async () => {
    const system = systemWithRepository()
    system.host.drain = async () => {
      throw new Error('ENOSPC')
    }
    expect(await system.run('list')).toBe(1)
    expect(system.stderr()).toContain('the output could not be written')
    expect(await system.run('show', 'ffff')).toBe(15)
  })
})
