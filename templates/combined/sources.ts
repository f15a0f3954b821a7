/** Which file a setting comes from. Pure. */
import { isObject } from "./value"

type Path = readonly string[]

/**
 * The last source that has this value for the key. The sources are in the order in which OpenCode read them. The value
 * is compared because another project's file may have the key too.
 */
export function find(sources: readonly (readonly [string, unknown])[], key: Path, value: unknown) {
  return value === undefined ? undefined : sources.findLast(([, parsed]) => holds(at(parsed, key), value))?.[0]
}

/** Whether a value contains all of the other one. Upstream leaves out keys that it does not know. */
function holds(value: unknown, wanted: unknown): boolean {
  if (!isObject(wanted)) return value === wanted
  if (!isObject(value) || Array.isArray(value) !== Array.isArray(wanted)) return false
  if (Array.isArray(wanted) && Array.isArray(value) && value.length !== wanted.length) return false
  return Object.entries(wanted).every(([key, inner]) => holds(value[key], inner))
}

function at(value: unknown, key: Path): unknown {
  return key.reduce((inner: unknown, part) => (isObject(inner) ? inner[part] : undefined), value)
}

export * as CombinedSources from "./sources"
