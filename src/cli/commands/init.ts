/** `blockvault init`: makes a repository. */
import type { Command } from '../command.ts'
import { NO_ENCRYPTION_OPTION } from '../options.ts'
import { createRepository, describeRepository } from '../session.ts'

export const initCommand: Command = {
  name: 'init',
  summary: 'Makes a repository.',
  positionals: [],
  options: [NO_ENCRYPTION_OPTION],
  notes: [
    'Without a passphrase, and with a --key-file that does not exist, a random key is made and written to the key file.',
    'By default that is blockvault/REPOSITORY-ID.key in $XDG_CONFIG_HOME or ~/.config. Copy it: it is all that opens the repository.',
  ],
  async run(session) {
    const [opened, keyFile] = await createRepository(session, { createNamedKeyFile: true })
    const { id, location, encrypted } = opened
    await opened.close()
    session.report.result(
      { id, repository: location, encrypted, ...(keyFile === undefined ? {} : { keyFile }) },
      { summary: [`Made ${describeRepository(opened)} (id ${id}).`] },
    )
    return 0
  },
}
