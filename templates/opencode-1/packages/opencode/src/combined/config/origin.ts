/** Which file a setting comes from, for messages. */

type Path = readonly string[]

/** By source (a path, or the name of a variable), in the order in which OpenCode read them. */
const read = new Map<string, unknown>()

export function remember(source: string, parsed: unknown) {
  read.delete(source)
  read.set(source, parsed)
}

/** All sources with their content, in the order in which OpenCode read them. */
export const all = (): readonly (readonly [string, unknown])[] => [...read]

/** The last source that has the key with this value; in another project's file it may have another one. */
export function of(key: Path, value: unknown) {
  const wanted = JSON.stringify(value)
  return [...read].findLast(([, parsed]) => wanted !== undefined && JSON.stringify(at(parsed, key)) === wanted)?.[0]
}

function at(value: unknown, key: Path): unknown {
  return key.reduce(
    (inner, part) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[part] : undefined,
    value,
  )
}

export * as CombinedOrigin from "./origin"
