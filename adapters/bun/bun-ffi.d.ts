/** Of Bun's own modules the one call that the adapter makes: the types of all of them change those of the web for the whole project. */
declare module 'bun:ffi' {
  export function dlopen<Name extends string>(
    library: string,
    symbols: Record<Name, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<Name, (...args: (number | bigint)[]) => number> }
}
