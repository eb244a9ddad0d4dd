/** Restoring a backup onto the volume it was made from: the usual mistake is the wrong one of two devices. */
import { readFileSync, truncateSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { noise } from './support/random.ts'
import { codeOf, coded, newRepository, opened, platform } from './support/repositories.ts'
import { fileOf } from './support/volumes.ts'

describe('a target that is the source', () => {
  it('is refused, also with force, unless it is asked for', async () => {
    const repository = await newRepository()
    const volume = noise(1, 10_000)
    const source = fileOf(volume)
    await opened(repository, async (open) => {
      const { id } = await open.backup(source)
      for (const options of [{}, { force: true }]) await expect(open.restore(id, source, options)).rejects.toEqual(coded('TARGET_IS_SOURCE'))
      truncateSync(source, 10)
      await open.restore(id, source, { overwriteSource: true })
      expect(Buffer.compare(readFileSync(source), volume) === 0).toBe(true)
    })
  })

  it.each([
    ['here', '', 'TARGET_IS_SOURCE'],
    ['', 'here', 'TARGET_IS_SOURCE'],
    ['', '', 'TARGET_IS_SOURCE'],
    ['there', 'here', undefined],
  ])('is one on machine %j of a backup made on %j, unless both names are known and differ', async (restoredOn, madeOn, expected) => {
    const repository = await newRepository()
    const source = fileOf(noise(1, 10_000))
    const { id } = await opened(repository, (open) => open.backup(source), { on: { ...platform, hostName: madeOn } })
    const on = { ...platform, hostName: restoredOn }
    expect(await opened(repository, (open) => codeOf(open.restore(id, source, { force: true })), { on })).toBe(expected)
  })
})
