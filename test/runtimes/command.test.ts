/** The same command on the three runtimes, in a checkout and as one executable file: each backs a block device up, all read it. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import packageFile from '../../package.json' with { type: 'json' }
import { createKey } from '../node/command.ts'
import { attachLoop, lacksLoop } from '../node/devices.ts'
import { testUnless } from '../node/system.ts'
import { sharedWorkplace } from '../node/workplace.ts'
import { noise, text } from '../repository/support/random.ts'
import { spread, volumeOf } from '../repository/support/volumes.ts'
import { type Call, result, run } from './processes.ts'
import { ROOT, RUNTIMES, runtimeOf } from './runtimes.ts'

const MIB = 1 << 20
const place = sharedWorkplace()
const environment = {
  HOME: place.folder('home'),
  npm_config_update_notifier: 'false',
  BLOCKVAULT_KEY_FILE: createKey(place).path,
  BLOCKVAULT_REPO: place.path('repository'),
}
const executable = place.path('blockvault')

/** As the README says it, and the file that `npm run build:executable` makes, where nothing else of blockvault is. */
const FORMS: Record<string, Call> = {
  'npx blockvault': { program: 'npx', args: ['--no-install', 'blockvault'] },
  'deno task blockvault': { program: runtimeOf('deno').program, args: ['task', 'blockvault'] },
  'bun run blockvault': { program: runtimeOf('bun').program, args: ['run', 'blockvault'] },
  'the executable': { program: executable, args: [], directory: place.directory },
}
const call = (form: string, ...args: string[]) => run({ ...(FORMS[form] as Call), environment }, ...args)

beforeAll(() => {
  execFileSync('npm', ['run', '--silent', 'build:executable'], { cwd: ROOT, stdio: 'pipe' })
  copyFileSync(`${ROOT}/dist/executable/blockvault`, executable)
}, 120_000)

describe('the command', () => {
  it.each(Object.keys(FORMS))('%s has the version of the package', async (form) => {
    expect(await call(form, '--version')).toMatchObject({ exitCode: 0, stdout: `${packageFile.version}\n` })
  })

  it.each(RUNTIMES)('dist/blockvault.js is the command on $name', async ({ program, run: args }) => {
    expect(await run({ program, args: [...args, 'dist/blockvault.js', '--version'] })).toEqual({ exitCode: 0, stdout: `${packageFile.version}\n`, stderr: '' })
  })

  testUnless(lacksLoop)(
    'of one runtime backs a block device up, and that of each other restores it to another',
    async () => {
      const first = volumeOf(24 * MIB, [
        { offset: 5 * MIB, bytes: noise(1, 6 * MIB) },
        { offset: 12 * MIB, bytes: text(2, 4 * MIB) },
        ...spread(3, 24 * MIB, 40),
      ])
      const device = attachLoop(place, place.file('device', first))
      const target = attachLoop(place, place.file('target', noise(4, 24 * MIB)))
      expect((await call('npx blockvault', 'init')).exitCode).toBe(0)
      const forms = Object.keys(FORMS)
      for (const [index, form] of forms.entries()) {
        const backup = await call(form, 'backup', device, '--json', '--workers', '2')
        expect(backup.exitCode, `${form}: ${backup.stderr}`).toBe(0)
        const { id, newBytes } = result(backup)
        // The second one finds everything there, whoever wrote it.
        expect(newBytes === 0, `${form}: ${newBytes} new bytes`).toBe(index > 0)
        const reader = forms[(index + 1) % forms.length] as string
        const restore = await call(reader, 'restore', String(id), target, '--force', '--json')
        expect(restore.exitCode, `${reader} after ${form}: ${restore.stderr}`).toBe(0)
        expect(Buffer.compare(readFileSync(target), first), `${reader} after ${form}`).toBe(0)
        execFileSync('dd', ['if=/dev/urandom', `of=${target}`, 'bs=1M', 'count=24', 'conv=fsync'], { stdio: 'ignore' })
      }
      for (const form of forms) {
        const verify = await call(form, 'verify', '--read-data', '--json')
        expect(result(verify), form).toMatchObject({ type: 'result', backups: forms.length })
        expect((result(await call(form, 'list', '--json'))['backups'] as unknown[]).length, form).toBe(forms.length)
      }
    },
    600_000,
  )
})
