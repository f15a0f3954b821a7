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
  return value === undefined ? undefined : [...read].findLast(([, parsed]) => holds(at(parsed, key), value))?.[0]
}

/** Whether a value has all that is in the other one: upstream leaves out keys that it does not know. */
function holds(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return value === wanted
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false
  if (Array.isArray(wanted) && Array.isArray(value) && value.length !== wanted.length) return false
  return Object.entries(wanted).every(([key, inner]) => holds((value as Record<string, unknown>)[key], inner))
}

function at(value: unknown, key: Path): unknown {
  return key.reduce(
    (inner, part) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[part] : undefined,
    value,
  )
}

export * as CombinedOrigin from "./origin"
