/** A program: makes a hole in the volume that its argument names: all of it, but for a thousand bytes at both ends. */
import { openVolumeOn } from '../../adapters/shared/library.ts'
import { adapter } from './adapter-node.ts'

const volume = await openVolumeOn(await adapter.createPlatform(), process.argv.at(-1) as string, { writable: true })
await volume.punchHole(1000, volume.size - 2000)
await volume.flush()
await volume.close()
process.stdout.write('\n{}\n')
