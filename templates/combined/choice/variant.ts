/** A variant of a model (how hard it thinks) under the name that a member has for it. Pure. */

/** From least to most. The names are those of upstream's variants (provider/transform.ts). */
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]

/**
 * The member's own variant for what was asked: the same one; else the one next to it, of two that are equally near the
 * lesser one, which costs less; undefined where it has none that compares.
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
 * The variants that any of the members has, efforts first, from least to most. Each has the options of the first member
 * that has it, for whoever looks at them; a request is made with those of its own member.
 */
export function union<V>(members: readonly (Readonly<Record<string, V>> | undefined)[]): Record<string, V> {
  const rank = (name: string) => (EFFORTS.includes(name) ? EFFORTS.indexOf(name) : EFFORTS.length)
  const options: Record<string, V> = Object.assign({}, ...members.toReversed())
  const names = new Set(members.flatMap((variants) => Object.keys(variants ?? {})))
  return Object.fromEntries([...names].toSorted((a, b) => rank(a) - rank(b)).map((name) => [name, options[name]]))
}

/**
 * The member's own options under every name that may be asked for: those of the group's variants, and the efforts. There
 * are none for a name to which the member has nothing like it, but it is a name that may be asked for.
 */
export function named<V extends object>(own: Readonly<Record<string, V>> | undefined, group: Iterable<string>) {
  return Object.fromEntries(
    [...new Set([...group, ...EFFORTS])].map((asked): [string, V | Record<string, never>] => {
      const found = map(asked, own)
      return [asked, (found !== undefined && own?.[found]) || {}]
    }),
  )
}

/** What was asked for, where a member has nothing like it and goes without. */
export function lost(asked: string | undefined, variants: Readonly<Record<string, unknown>> | undefined) {
  return asked !== undefined && map(asked, variants) === undefined ? asked : undefined
}

export * as CombinedVariant from "./variant"
