/** Aligned columns of plain text. */
import { terminalText } from './terminal-text.ts'

export interface Column {
  readonly title: string
  /** `left` by default. */
  readonly align?: 'left' | 'right'
}

/** The header and one line a row, columns two spaces apart, no spaces at a line's end. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const cells = [columns.map((column) => column.title), ...rows].map((row) => row.map(terminalText))
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => width(row[index] ?? ''))))
  return cells.map((row) =>
    columns
      .map(({ align }, index) => {
        const cell = row[index] ?? ''
        const padding = ' '.repeat(widths[index]! - width(cell))
        return align === 'right' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd(),
  )
}

/** `name  value` lines with the names padded to one width. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string[] {
  const nameWidth = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(nameWidth)}  ${terminalText(value)}`.trimEnd())
}

/** Code points, not UTF-16 units. Double-width scripts come out ragged; nothing worse. */
function width(text: string): number {
  return [...text].length
}
