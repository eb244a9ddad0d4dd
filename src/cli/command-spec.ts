/** The tables that the parser and the help texts work by. */

export interface OptionSpec {
  readonly name: `--${string}`
  /** The value's name in help texts; absent for a flag. */
  readonly value?: string
  /** May be given more than once. False by default. */
  readonly repeatable?: boolean
  readonly help: string
}

export interface PositionalSpec {
  readonly name: string
  /** True by default. */
  readonly required?: boolean
  /** Takes all that follow; only on the last one. False by default. */
  readonly repeatable?: boolean
  readonly help: string
}

export interface CommandSpec {
  readonly name: string
  readonly summary: string
  readonly positionals: readonly PositionalSpec[]
  readonly options: readonly OptionSpec[]
}
