/** A variant of a model (how hard it thinks), under the member's own name for it. Pure. */

/** From least to most. The names are those of upstream's variants (provider/transform.ts). */
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]

/**
 * The member's own variant for the requested one: the same if it has it, otherwise the closest effort (of two equally
 * close ones the lower, which costs less). Undefined if it has none to compare.
 */
export function map(asked: string, variants: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (variants?.[asked]) return asked
  const wanted = EFFORTS.indexOf(asked)
  if (wanted < 0) return undefined
  return Object.keys(variants ?? {})
    .map((name) => ({ name, rank: EFFORTS.indexOf(name) }))
    .filter((item) => item.rank >= 0)
    .toSorted((a, b) => Math.abs(a.rank - wanted) - Math.abs(b.rank - wanted) || a.rank - b.rank)[0]?.name
}

/**
 * The variants of all members, efforts first, from least to most. The options are those of the first member that has
 * the variant, and are only for display; a request uses its own member's.
 */
export function union<V>(members: readonly (Readonly<Record<string, V>> | undefined)[]): Record<string, V> {
  const rank = (name: string) => (EFFORTS.includes(name) ? EFFORTS.indexOf(name) : EFFORTS.length)
  const options: Record<string, V> = Object.assign({}, ...members.toReversed())
  const names = new Set(members.flatMap((variants) => Object.keys(variants ?? {})))
  return Object.fromEntries([...names].toSorted((a, b) => rank(a) - rank(b)).map((name) => [name, options[name]]))
}

/**
 * The member's own options under every name that may be requested: the group's variants and the efforts. A name for
 * which the member has nothing similar can still be requested, but has no options.
 */
export function named<V extends object>(own: Readonly<Record<string, V>> | undefined, group: Iterable<string>) {
  return Object.fromEntries(
    [...new Set([...group, ...EFFORTS])].map((asked): [string, V | Record<string, never>] => {
      const found = map(asked, own)
      return [asked, (found !== undefined && own?.[found]) || {}]
    }),
  )
}

/** The requested variant, if the member has nothing similar and is asked without it. */
export function lost(asked: string | undefined, variants: Readonly<Record<string, unknown>> | undefined) {
  return asked !== undefined && map(asked, variants) === undefined ? asked : undefined
}

export * as CombinedVariant from "./variant"
