import { describe, expect, it } from 'vitest'
import { FIXTURES_PRESENT, fixtureSteps } from '../cinder/support/fixtures.ts'
import { backupIdOf, madeStore, memberOf, prefixOf } from '../cinder/support/manifests.ts'
import { fakeSystem } from './fake-host.ts'

function systemWithStore() {
  const system = fakeSystem()
  const made = madeStore()
  system.objectStores.set('/store', made.containers)
  return { system, made }
}

describe('cinder list', () => {
  it('gives every field with --json', async () => {
    const { system, made } = systemWithStore()
    made.putBackup(memberOf(1, [[0, 10]], { backupName: 'n', volumeMeta: '{}' }))
    expect(await system.run('cinder', 'list', '/store', '--json')).toBe(0)
    expect(system.json()).toEqual([
      {
        type: 'result',
        damaged: [],
        backups: [
          {
            id: backupIdOf(1),
            parentId: null,
            volumeId: '11111111-1111-4111-8111-111111111111',
            container: 'backups',
            prefix: prefixOf(1),
            bytes: 10,
            complete: true,
            problem: null,
            problemCode: null,
            name: 'n',
            description: null,
            createdAt: '2024-01-10T00:05:09.000Z',
            objects: 1,
            dataBytes: 10,
            storedBytes: expect.any(Number),
          },
        ],
      },
    ])
  })

  it('prints a table, and what can not be restored beside it', async () => {
    const { system, made } = systemWithStore()
    made.putBackup(memberOf(1, [[0, 4096]], { backupName: 'first\u001b[2J' }))
    made.putBackup(memberOf(2, [[0, 1]]))
    made.putBackup(memberOf(9, []))
    made.put('backups', `${prefixOf(12)}-00001`, 'x')
    expect(await system.run('cinder', 'list', '/store')).toBe(0)
    const [header, ...rows] = system.stdout().trimEnd().split('\n')
    expect(header).toMatch(/^ID +CREATED +VOLUME +SIZE +DATA +STORED +KIND +NAME$/)
    expect(rows.map((row) => row.split(/ {2,}/).at(row.includes('first') ? -2 : -1))).toEqual(['incomplete', 'full', 'incremental', 'broken'])
    expect(rows[1]).toMatch(/2024-01-10T00:05:09Z .* 4\.0 KiB .* first\ufffd\[2J$/)
    expect(system.stderr()).toBe(
      `blockvault: backup ${backupIdOf(12)} can not be restored: it was never finished: it has no _metadata\n` +
        `blockvault: backup ${backupIdOf(9)} can not be restored: its parent ${backupIdOf(8)} is not here\n`,
    )
  })

  it('exits with 13 for a manifest that can not be read, and lists the others', async () => {
    const { system, made } = systemWithStore()
    made.putBackup(memberOf(1, []))
    made.putBackup(memberOf(2, []))
    made.put('backups', `${prefixOf(1)}_metadata`, '{')
    expect(await system.run('cinder', 'list', '/store')).toBe(13)
    expect(system.stdout()).toContain(backupIdOf(2))
    expect(system.stderr()).toContain(`backup ${backupIdOf(1)} can not be read: backups/${prefixOf(1)}_metadata can not be read: it ends too early`)
  })

  it('says that there is none, and that there is no such place', async () => {
    const { system } = systemWithStore()
    expect(await system.run('cinder', 'list', '/store')).toBe(0)
    expect(system.stdout()).toBe('No backups.\n')
    expect(await system.run('cinder', 'list', '/elsewhere')).toBe(14)
  })
})

describe('cinder record', () => {
  it.runIf(FIXTURES_PRESENT)('decodes what Cinder exported, and encodes it again as it was', async () => {
    for (const { exported, row } of fixtureSteps) {
      const system = fakeSystem()
      system.inputs.set('export.json', JSON.stringify({ 'backup-record': exported }))
      expect(await system.run('cinder', 'record', 'decode', 'export.json')).toBe(0)
      expect(system.stderr()).toBe('')
      const fields = JSON.parse(system.stdout()) as Record<string, unknown>
      expect(fields).toEqual({ driver_info: {}, ...row })

      for (const json of [false, true]) {
        const again = fakeSystem()
        again.inputs.set('-', system.stdout())
        expect(await again.run('cinder', 'record', 'encode', '-', ...(json ? ['--json'] : []))).toBe(0)
        expect(JSON.parse(again.stdout())).toEqual(json ? { type: 'result', ...exported } : exported)
      }
    }
  })

  it('takes what decode gives with --json', async () => {
    const system = fakeSystem()
    const record = { id: 'b', size: 1, display_name: 'x', display_description: null, container: 'c', service_metadata: 'p', object_count: 0, service: 's' }
    system.inputs.set('fields', JSON.stringify(record))
    expect(await system.run('cinder', 'record', 'encode', 'fields', '--json')).toBe(0)
    const { type: _type, ...encoded } = system.json()[0]!
    system.inputs.set('record', JSON.stringify(encoded))
    expect(await system.run('cinder', 'record', 'decode', 'record', '--json')).toBe(0)
    expect(system.json()[1]).toEqual({ type: 'result', backup_service: 's', driver_info: {}, ...record })
    system.inputs.set('again', JSON.stringify(system.json()[1]))
    expect(await system.run('cinder', 'record', 'encode', 'again', '--json')).toBe(0)
    expect(system.json()[2]).toEqual({ type: 'result', ...encoded })
  })

  it('keeps hostile names from the terminal, and says what it left out', async () => {
    const system = fakeSystem()
    const backup_url = Buffer.from('{"id": "b", "display_name": "\u009b2J\u202e", "shoe_size": 46}').toString('base64')
    system.inputs.set('-', JSON.stringify({ backup_service: '', backup_url }))
    expect(await system.run('cinder', 'record', 'decode', '-')).toBe(0)
    expect(system.stdout()).not.toMatch(/[\u0080-\uffff]/)
    expect(JSON.parse(system.stdout())).toEqual({ driver_info: {}, id: 'b', display_name: '\u009b2J\u202e' })
    expect(system.stderr()).toContain('left out: shoe_size')
  })

  it.each([
    ['decode', 'nothing at all', ''],
    ['decode', 'what is no JSON', '{'],
    ['decode', 'no record', '{}'],
    ['decode', 'bad base64', '{"backup_service": "s", "backup_url": "*"}'],
    ['decode', 'a number for a service', '{"backup_service": 1, "backup_url": "e30="}'],
    ['encode', 'a list', '[]'],
    ['encode', 'too few fields', '{"id": "b", "size": 1}'],
    ['encode', 'a field of the wrong type', '{"id": 7}'],
  ])('%s refuses %s', async (verb, _what, input) => {
    const system = fakeSystem()
    system.inputs.set('-', input)
    expect(await system.run('cinder', 'record', verb, '-', '--json')).toBe(2)
    expect(system.json()).toMatchObject([{ type: 'error', code: 'InvalidInput' }])
    expect(await system.run('cinder', 'record', verb, 'absent')).toBe(2)
  })
})
