/** What the command says: the JSON contract, exit codes, and where its words go. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { COMMAND, createUser, jsonLines, type JsonLine, startProcess, type User } from './command.ts'
import { MIB, noise, overwrite } from './content.ts'
import { lacksTool, testUnless } from './system.ts'
import { sharedWorkplace, workplace } from './workplace.ts'

const place = sharedWorkplace()
let user: User
let source: string
let id: string

beforeAll(async () => {
  user = createUser(place)
  source = place.file('disk', noise(1, 9 * MIB + 1))
  id = (await user.backup(source, '--tag', 'host=db 1', '--tag', 'note=a=b')).id
})

/** The command succeeds, says nothing but JSON on stdout, and its only result is the last line. */
async function answered(...args: string[]): Promise<{ lines: JsonLine[]; last: JsonLine; stderr: string }> {
  const answer = await user.run(...args, '--json')
  expect(answer.exitCode, answer.stderr).toBe(0)
  const lines = jsonLines(answer)
  expect(lines.map(({ type }) => type).filter((type) => type === 'result' || type === 'error')).toEqual(['result'])
  return { lines, last: lines.at(-1) as JsonLine, stderr: answer.stderr }
}

describe('with --json', () => {
  it('backup answers what it read, found new and stored', async () => {
    const changed = place.file('changed', readFileSync(source))
    overwrite(changed, 4 * MIB, noise(2, MIB))
    const { last, stderr } = await answered('backup', changed, '--volume', 'other')
    expect(last).toMatchObject({ type: 'result', volume: 'other', volumeBytes: 9 * MIB + 1, readBytes: 9 * MIB + 1, newBytes: MIB, sourcePath: changed })
    expect(last['id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(last['storedBytes']).toBeGreaterThan(MIB)
    expect(last['storedBytes']).toBeLessThan(2 * MIB)
    expect(last['seconds']).toBeGreaterThan(0)
    expect(stderr).toBe('')
    await user.done('delete', last['id'] as string)
  })

  it('list answers an array of backups, and show one of them', async () => {
    const { last } = await answered('list')
    expect(last).toMatchObject({ backups: [{ id, volume: 'disk', tags: { host: 'db 1', note: 'a=b' }, volumeBytes: 9 * MIB + 1 }], damaged: [] })
    expect((await answered('show', id)).last).toMatchObject({ backup: (last['backups'] as object[])[0] })
  })

  it('restore answers bytes and seconds', async () => {
    const { last } = await answered('restore', id, place.path('restored'))
    expect(last).toMatchObject({ id, target: place.path('restored'), bytes: 9 * MIB + 1, seconds: expect.any(Number) })
  })

  it('verify answers chunks, bytes and errors', async () => {
    for (const args of [[], ['--read-data'], [id.slice(0, 8)]]) {
      expect((await answered('verify', ...args)).last).toMatchObject({ backups: 1, chunks: 145, bytes: 9 * MIB + 1, errors: [], seconds: expect.any(Number) })
    }
  })

  it('init and delete answer what they made and removed', async () => {
    const { last, lines, stderr } = await answered('init', '--repo', place.path('repository'))
    expect(last).toMatchObject({ id: expect.any(String), repository: place.path('repository'), encrypted: true, keyFile: expect.any(String) })
    // The loud notice reaches a person (stderr) and a program (stdout).
    expect(lines.find(({ type }) => type === 'notice')).toMatchObject({ code: 'KEY_FILE_CREATED', path: last['keyFile'] })
    expect(stderr).toContain('COPY IT')
    const extra = await user.backup(source, '--repo', place.path('repository'))
    expect((await answered('delete', extra.id, '--repo', place.path('repository'))).last).toEqual({ type: 'result', deleted: [extra.id] })
  })

  it('progress comes as objects of its own, or not at all', async () => {
    const { lines } = await answered('backup', source)
    expect(lines.filter(({ type }) => type === 'progress')[0]).toMatchObject({ phase: 'backup', totalBytes: 9 * MIB + 1, doneBytes: expect.any(Number) })
    for (const option of ['--no-progress', '--quiet']) {
      const silent = await answered('backup', source, option)
      expect(silent.lines).toHaveLength(1)
      await user.done('delete', silent.last['id'] as string)
    }
    await user.done('delete', lines.at(-1)?.['id'] as string)
  })
})

describe('the exit code', () => {
  const failures: [exitCode: number, code: string, args: () => string[]][] = [
    [2, 'USAGE', () => ['backup']],
    [2, 'USAGE', () => ['frobnicate']],
    [2, 'USAGE', () => ['backup', source, '--workers', '0']],
    [2, 'USAGE', () => ['restore', id, place.path('never'), '--range', '8M:2M']],
    [3, 'SOURCE_MISSING', () => ['backup', place.path('missing')]],
    [4, 'TARGET_EXISTS', () => ['restore', id, place.file('taken', 'x')]],
    [10, 'REPOSITORY_MISSING', () => ['list', '--repo', place.path('missing')]],
    [10, 'REPOSITORY_MISSING', () => ['backup', source, '--repo', place.path('missing')]],
    [10, 'REPOSITORY_INVALID', () => ['list', '--repo', place.directory]],
    [11, 'REPOSITORY_EXISTS', () => ['init']],
    [12, 'KEY_WRONG', () => ['list', '--key-file', source]],
    [15, 'BACKUP_NOT_FOUND', () => ['show', '00000000-0000-4000-8000-000000000000']],
  ]
  for (const [index, [exitCode, code, args]] of failures.entries()) {
    it(`is ${exitCode} for ${code} (${index})`, async () => {
      const failure = await user.fails(...args())
      expect(failure).toMatchObject({ code, exitCode })
      expect(failure.message.length).toBeGreaterThan(10)
    })
  }

  it('is 11 for a repository of a newer version', async () => {
    const here = workplace()
    const newer = createUser(here)
    await newer.done('init', '--repo', here.path('repository'))
    const config = here.path('repository', 'config')
    writeFileSync(config, readFileSync(config, 'utf8').replace('"version":1', '"version":2'))
    expect(await newer.fails('list', '--repo', here.path('repository'))).toMatchObject({ code: 'REPOSITORY_UNSUPPORTED', exitCode: 11 })
  })

  it('is 13 for damage, which verify names and restore writes nothing of', async () => {
    const here = workplace()
    const other = createUser(here)
    other.environment['BLOCKVAULT_REPO'] = here.path('repository')
    await other.done('init')
    const backup = await other.backup(source)
    const packs = readdirSync(here.path('repository', 'packs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const pack = packs[0] as (typeof packs)[number]
    overwrite(join(pack.parentPath, pack.name), 500_000, noise(3, 1))
    const answer = await other.run('verify', '--read-data', '--json')
    expect(answer.exitCode).toBe(13)
    expect(answer.stderr).toContain('damage found')
    expect(jsonLines(answer).at(-1)).toMatchObject({ errors: [{ object: expect.stringContaining(pack.name), code: 'OBJECT_DAMAGED', backups: [backup.id] }] })
    expect(await other.fails('restore', backup.id, here.path('restored'))).toMatchObject({ code: 'OBJECT_DAMAGED', exitCode: 13 })
    expect(readdirSync(here.directory).filter((name) => name.includes('restored'))).toEqual([])
  })
})

describe('the words', () => {
  it('go to stdout for answers, to stderr for the rest, and neither shows progress when it is no terminal', async () => {
    const listed = await user.run('list')
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' })
    expect(listed.stdout).toMatch(/^ID +CREATED +VOLUME +SIZE +NEW +STORED +TAGS\n/)
    expect(listed.stdout).toContain('host=db 1 note=a=b')
    const shown = await user.run('show', 'latest')
    expect(shown.stdout).toContain('note=a=b')
    const quiet = await user.run('verify', '--quiet')
    expect(quiet).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    const failed = await user.run('show', 'none-such')
    expect(failed).toMatchObject({ exitCode: 15, stdout: '' })
    expect(failed.stderr).toMatch(/^blockvault: .* \[BACKUP_NOT_FOUND\]\n$/)
  })

  testUnless(lacksTool('script'))('show progress with rate and time left on a terminal', async () => {
    const command = `${process.execPath} ${COMMAND} verify --read-data`
    const { stdout } = await startProcess(place, ['-qec', command, '/dev/null'], { HOME: user.home, TERM: 'xterm' }, 'script').answer
    expect(stdout).toMatch(/verify \[#*-*\] +\d+% +.* of .*\/s +.* left/)
    expect(stdout).toContain('no damage')
  })

  testUnless(lacksTool('bash'))('may be read by who stops reading', async () => {
    for (const reader of ['head -n 1', 'true']) {
      const pipeline = `set -o pipefail; ${process.execPath} ${COMMAND} list | ${reader}`
      const { exitCode, stderr } = await startProcess(place, ['-c', pipeline], { HOME: user.home }, 'bash').answer
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    }
  })

  testUnless(lacksTool('sh'))('that can not be written are a failure', async () => {
    const { exitCode, stderr } = await startProcess(place, ['-c', `${process.execPath} ${COMMAND} list >/dev/full`], { HOME: user.home }, 'sh').answer
    expect(exitCode).toBeGreaterThan(0)
    expect(stderr).toContain('could not be written')
  })
})

describe('bench', () => {
  it('tells a rate for each kind of work, from a device that it only reads', async () => {
    const { lines, last } = await answered('bench', source)
    const rates = lines.filter(({ type }) => type === 'rate')
    expect(rates.map(({ name }) => name)).toEqual(['read', 'scan fixed', 'scan fastcdc', 'compress', 'encrypt'])
    for (const { bytes, seconds } of rates) expect(Number(bytes) / Number(seconds)).toBeGreaterThan(MIB)
    expect(last['rates']).toHaveLength(rates.length)
    expect(await user.fails('bench', place.path('missing'))).toMatchObject({ code: 'SOURCE_MISSING', exitCode: 3 })
  })

  it('ends soon when it is interrupted', async () => {
    const running = user.start('bench', '--json')
    await running.said('stdout', /"rate"/)
    running.signal('SIGINT')
    const { exitCode, stdout } = await running.answer
    expect(exitCode).toBe(130)
    expect(stdout).not.toContain('"encrypt"')
  })
})
