/**
 * The rows of the table, ready for use. The first matching row decides, so rows that name a cause come before rows that
 * only name a status, and the user's own rows come first of all.
 *
 * A row gives the class, the scope and where to find the time. If no row matches, one more member is asked, so a turn
 * survives that.
 */
import { table, type Row } from "./table"

export type { Row } from "./table"

export type Rule = Omit<Row, "words" | "unless"> & {
  readonly says?: RegExp
  readonly denies?: RegExp
}

export const rules: readonly Rule[] = table.rows.map(compiled)

function compiled({ words, unless, ...row }: Row): Rule {
  return {
    ...row,
    ...(words && { says: new RegExp(words, "i") }),
    ...(unless && { denies: new RegExp(unless, "i") }),
  }
}

/** A row in the user's configuration. Its words are plain texts, so matching is always fast. */
export type Own = {
  readonly status?: readonly number[]
  readonly code?: readonly string[]
  readonly words?: readonly string[]
  readonly class?: Row["class"]
  readonly scope?: Row["scope"]
  readonly zone?: string
}

/** A shorter text is part of almost every error. */
const SHORTEST = 3

/** The user's rows. A row without a real condition would decide every failure, so it is left out. */
export function own(rows: readonly Own[]): readonly Rule[] {
  return rows.flatMap((row, index) => {
    const { words, code, class: kind, ...rest } = row
    if (problem(row) || kind === undefined) return []
    return [
      {
        ...rest,
        id: `own-${index + 1}`,
        class: kind,
        scope: row.scope ?? "model",
        ...(code && { code: code.map((item) => item.toLowerCase()) }),
        ...(words && { plain: words.map((item) => item.toLowerCase()) }),
      },
    ]
  })
}

/** What is wrong with a user's row, as a sentence. */
export function problem(row: Own) {
  if (row.class === undefined) return "It has no class."
  const texts = [...(row.words ?? []), ...(row.code ?? [])]
  if (!row.status?.length && !texts.length)
    return "It names no status, code or words, so it would decide every failure."
  if (texts.some((text) => text.trim().length < SHORTEST && !/[^\0-\x7f]{2}/.test(text)))
    return `A code or word has fewer than ${SHORTEST} letters, so it would decide almost every failure.`
  if (row.class === "history" || row.class === "unknown") return `A row of your own cannot have the class ${row.class}.`
  if (row.zone && !/^[+-]\d\d:\d\d$/.test(row.zone)) return "Its zone must be written like +08:00."
  return undefined
}

export * as CombinedRules from "./rules"
