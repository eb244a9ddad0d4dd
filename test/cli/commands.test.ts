import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { backupInfo, DEFAULT_REPOSITORY, fakeSystem, SOURCE, systemWithRepository } from './fake-host.ts'

const GIB = 1024 ** 3
const ID = backupInfo(1).id

describe('backup', () => {
  it('hands its options to the library and sums up in two lines', async () => {
    const system = systemWithRepository()
    expect(await system.run('backup', SOURCE, '--volume', 'root', '--tag', 'a=1', '--tag', 'b=2')).toBe(0)
    expect(system.calls).toEqual([{ name: 'backup', argument: { source: SOURCE, volume: 'root', tags: { a: '1', b: '2' } } }])
    expect(system.stdout()).toBe(`Backed up root as ${ID}: 4.0 GiB in 8.00 s (512.0 MiB/s).\n1.5 GiB new, 700.0 MiB stored in ${DEFAULT_REPOSITORY}.\n`)
    expect(system.stderr()).toBe('')
  })
  it('gives every field with --json', async () => {
    const system = systemWithRepository()
    expect(await system.run('backup', SOURCE, '--json')).toBe(0)
    expect(system.json()).toEqual([{ type: 'result', ...backupInfo(1) }])
  })
  it('says nothing with --quiet', async () => {
    const system = systemWithRepository()
    expect(await system.run('backup', SOURCE, '--quiet')).toBe(0)
    expect(system.stdout() + system.stderr()).toBe('')
  })
  it('refuses a wrong tag before the repository is opened', async () => {
    const system = fakeSystem()
    expect(await system.run('backup', SOURCE, '--tag', 'nonsense')).toBe(2)
    expect(system.calls).toEqual([])
  })
})

describe('list', () => {
  it('prints an aligned table', async () => {
    const system = systemWithRepository({
      backups: [backupInfo(2, { volume: 'a-longer-name', volumeBytes: 0, tags: { k: 'v', l: 'w' } }), backupInfo(1)],
    })
    expect(await system.run('list')).toBe(0)
    expect(system.stdout()).toMatchInlineSnapshot(`
      "ID                                    CREATED               VOLUME            SIZE      NEW     STORED  TAGS
      00000002-1111-4111-8111-111111111111  2025-01-02T03:04:02Z  a-longer-name      0 B  1.5 GiB  700.0 MiB  k=v l=w
      00000001-1111-4111-8111-111111111111  2025-01-02T03:04:01Z  vdb            4.0 GiB  1.5 GiB  700.0 MiB
      "
    `)
  })
  it('keeps hostile names from the terminal', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1, { volume: 'a\u001b]0;x\u0007\nb', tags: { '\u009b2J': '\u202e' } })] })
    expect(await system.run('list')).toBe(0)
    expect(await system.run('show', 'latest')).toBe(0)
    expect(system.stdout().replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })
  it('says that there is none, but not with --quiet', async () => {
    const system = systemWithRepository()
    expect(await system.run('list', '--quiet')).toBe(0)
    expect(system.stdout()).toBe('')
    expect(await system.run('list', '--volume', 'x')).toBe(0)
    expect(system.stdout()).toBe('No backups.\n')
    expect(system.calls.at(-1)).toEqual({ name: 'list', argument: { volume: 'x', onDamaged: expect.any(Function) } })
  })
  it('names a backup that can not be read, lists the others and exits with the code for damage', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)], damaged: [backupInfo(2).id] })
    expect(await system.run('list')).toBe(13)
    expect(system.stdout()).toContain(ID)
    expect(system.stderr()).toBe(`blockvault: backup ${backupInfo(2).id} can not be read: it failed with OBJECT_DAMAGED [OBJECT_DAMAGED]\n`)
  })
  it('gives an array with --json', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)] })
    expect(await system.run('list', '--json')).toBe(0)
    expect(system.json()).toEqual([{ type: 'result', backups: [backupInfo(1)], damaged: [] }])
  })
})

describe('show', () => {
  it('prints every field', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1, { tags: { k: 'v' }, storedBytes: 12 })] })
    expect(await system.run('show', ID.slice(0, 6))).toBe(0)
    expect(system.stdout()).toMatchInlineSnapshot(`
      "id       00000001-1111-4111-8111-111111111111
      volume   vdb
      created  2025-01-02T03:04:01Z
      size     4.0 GiB (4294967296 bytes)
      source   /dev/vdb
      host     server
      tag      k=v
      read     4.0 GiB (4294967296 bytes)
      new      1.5 GiB (1610612736 bytes)
      stored   12 B
      took     8.00 s
      digest   abababababababababababababababababababababababababababababababab
      "
    `)
  })
  it('gives the backup with --json, and 15 when there is none', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)] })
    expect(await system.run('show', 'latest', '--json')).toBe(0)
    expect(system.json()).toEqual([{ type: 'result', backup: backupInfo(1) }])
    expect(await system.run('show', 'ffff', '--json')).toBe(15)
  })
})

describe('restore', () => {
  it('is careful unless told otherwise', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)] })
    expect(await system.run('restore', 'latest', '/t')).toBe(0)
    expect(system.calls).toEqual([{ name: 'restore', argument: { reference: 'latest', target: '/t', force: false, overwriteSource: false, range: undefined } }])
    expect(system.stdout()).toBe(`Restored ${ID} to /t: 4.0 GiB in 2.00 s (2.0 GiB/s).\n1.0 GiB written, every byte checked before; the rest is zeros.\n`)
  })
  it('hands its options to the library', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)] })
    expect(await system.run('restore', 'latest', '/t', '--force', '--overwrite-source', '--range', '1M:4K', '--json')).toBe(0)
    expect(system.calls[0]?.argument).toMatchObject({ force: true, overwriteSource: true, range: { offset: 1048576, length: 4096 } })
    expect(system.json()).toEqual([{ type: 'result', id: ID, target: '/t', bytes: 4 * GIB, writtenBytes: GIB, seconds: 2 }])
  })
  it('refuses a wrong range before the repository is opened', async () => {
    const system = fakeSystem()
    expect(await system.run('restore', 'latest', '/t', '--range', '10')).toBe(2)
  })
})

describe('verify', () => {
  const errors = [
    { object: 'packs/ab/1', code: 'OBJECT_DAMAGED', message: 'frame 3 does not hold', backups: [ID, backupInfo(2).id] },
    { object: 'packs/cd/2', code: 'OBJECT_MISSING', message: 'is missing', backups: [ID] },
  ]
  it('checks everything by default', async () => {
    const system = systemWithRepository()
    expect(await system.run('verify')).toBe(0)
    expect(system.calls).toEqual([{ name: 'verify', argument: { backups: undefined, readData: false } }])
    expect(system.stdout()).toBe('Checked 1 backup, 65536 chunks, 4.0 GiB in 2.00 s (everything is looked up, not read: --read-data does): no damage.\n')
  })
  it('looks names up and gives the library ids, each once', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1)] })
    expect(await system.run('verify', 'latest', ID, '--read-data')).toBe(0)
    expect(system.calls.at(-1)).toEqual({ name: 'verify', argument: { backups: [ID], readData: true } })
    expect(await system.run('verify', 'ffff')).toBe(15)
  })
  it('names damage and whom it hurts, with the exit code for damage', async () => {
    const system = systemWithRepository()
    system.repository.verify.errors = errors
    expect(await system.run('verify', '--quiet')).toBe(13)
    expect(system.stdout()).toContain(`OBJECT_DAMAGED packs/ab/1: frame 3 does not hold\n    hurts backup ${ID}\n`)
    expect(system.stderr()).toBe('blockvault: damage found: 2 objects missing or altered; 2 backups can not be restored whole\n')
  })
  it('gives the damage as its result with --json', async () => {
    const system = systemWithRepository()
    system.repository.verify.errors = errors
    expect(await system.run('verify', '--json')).toBe(13)
    expect(system.json()).toEqual([{ type: 'result', backups: 1, chunks: 65536, bytes: 4 * GIB, errors, seconds: 2 }])
  })
})

describe('delete', () => {
  it('removes every backup named', async () => {
    const system = systemWithRepository({ backups: [backupInfo(1), backupInfo(2)] })
    expect(await system.run('delete', ID, backupInfo(2).id, '--json')).toBe(0)
    expect(system.json()).toEqual([{ type: 'result', deleted: [ID, backupInfo(2).id] }])
    expect(await system.run('delete', ID)).toBe(0)
    expect(system.stdout()).toContain(`Deleted ${ID}.\n`)
  })
})

describe('bench', () => {
  it('prints each rate as it is measured, without a repository', async () => {
    const system = fakeSystem()
    expect(await system.run('bench', '/dev/vdb', '--workers', '2')).toBe(0)
    expect(system.calls).toEqual([{ name: 'bench', argument: { device: '/dev/vdb', workers: 2 } }])
    expect(system.stdout()).toMatchInlineSnapshot(`
      "scan                      2.0 GiB/s  2.0 GiB in 1.00 s, 2 workers
      encrypt                   2.0 GiB/s  1.0 GiB in 0.50 s
      "
    `)
  })
  it('gives each rate and all of them with --json', async () => {
    const system = fakeSystem()
    expect(await system.run('bench', '--json')).toBe(0)
    const scan = { name: 'scan', bytes: 2 * GIB, seconds: 1, note: '2 workers' }
    const encrypt = { name: 'encrypt', bytes: GIB, seconds: 0.5 }
    expect(system.json()).toEqual([
      { type: 'rate', ...scan },
      { type: 'rate', ...encrypt },
      { type: 'result', rates: [scan, encrypt] },
    ])
  })
})

describe('help', () => {
  it('lists every command and option', async () => {
    const system = fakeSystem()
    expect(await system.run('--help')).toBe(0)
    expect(system.stdout()).toMatchInlineSnapshot(`
      "blockvault: deduplicated, compressed, encrypted backups of block devices and disk images

        blockvault init [--no-encryption]
            Makes a repository.
        blockvault backup SOURCE [--volume NAME] [--tag KEY=VALUE]… [--no-encryption]
            Backs a block device or disk image up.
        blockvault list [--volume NAME]
            Lists the backups, newest first.
        blockvault show BACKUP
            Shows one backup.
        blockvault restore BACKUP TARGET [--force] [--overwrite-source] [--range OFFSET:LENGTH]
            Restores a backup to a file or block device.
        blockvault verify [BACKUP…] [--read-data]
            Checks that backups can be restored whole.
        blockvault delete BACKUP…
            Removes backups.
        blockvault bench [DEVICE]
            Measures how fast this machine reads, scans, compresses and encrypts.
        blockvault cinder …
            Reads and writes the backups of OpenStack Cinder's drivers. See: blockvault cinder --help

      Every command takes:
        --repo DIR              the repository (or BLOCKVAULT_REPO); by default one in your data directory
        --passphrase-file FILE  its first line is the passphrase (or the passphrase itself in BLOCKVAULT_PASSPHRASE)
        --key-file FILE         the key file (or BLOCKVAULT_KEY_FILE); by default one in your configuration directory
        --workers N             worker threads, 1 to 64; by default one a processor
        --json                  one JSON object a line on stdout; the last is the result or the error
        --quiet                 only what was asked for, warnings and errors
        --no-progress           no progress line (nor progress objects with --json)
        --help                  about blockvault, or a command before it; \`--help exit-codes\`: every exit code
        --version               the version

      Exit codes: 0 done, 2 usage; all of them: blockvault --help exit-codes
      "
    `)
    expect(system.stderr()).toBe('')
  })
  it.each(COMMANDS.map(({ name }) => name))('is there for %s, though arguments are missing', async (name) => {
    const system = fakeSystem()
    const words = name.split(' ')
    expect(await system.run(...words, '--help')).toBe(0)
    const after = system.stdout()
    for (const { name: option } of COMMANDS.find((command) => command.name === name)!.options) expect(after).toContain(option)
    const again = fakeSystem()
    expect(await again.run('-h', ...words)).toBe(0)
    expect(again.stdout()).toBe(after)
  })
  it('tells the commands of a group', async () => {
    const system = fakeSystem()
    expect(await system.run('cinder', '--help')).toBe(0)
    for (const { name } of COMMANDS.filter((command) => command.name.startsWith('cinder '))) expect(system.stdout()).toContain(`blockvault ${name} `)
    expect(system.stdout()).not.toContain('blockvault init')
    const again = fakeSystem()
    expect(await again.run('--help', 'cinder')).toBe(0)
    expect(again.stdout()).toBe(system.stdout())
    const inner = fakeSystem()
    expect(await inner.run('cinder', 'record', '-h')).toBe(0)
    expect(inner.stdout()).toContain('blockvault cinder record decode FILE')
    expect(await fakeSystem().run('--help', 'cinder', 'nonsense')).toBe(2)
  })
  it('tells the exit codes', async () => {
    const system = fakeSystem()
    expect(await system.run('--help', 'exit-codes')).toBe(0)
    expect(system.stdout()).toContain('  13  damage was found')
    expect(await system.run('--help', 'nonsense')).toBe(2)
  })
  it('tells the version', async () => {
    const system = fakeSystem()
    expect(await system.run('--version')).toBe(0)
    expect(system.stdout()).toBe('1.2.3\n')
    expect(await fakeSystem().run('backup', '--version')).toBe(0)
    const json = fakeSystem()
    expect(await json.run('--version', '--json')).toBe(0)
    expect(json.json()).toEqual([{ type: 'result', version: '1.2.3' }])
  })
})
