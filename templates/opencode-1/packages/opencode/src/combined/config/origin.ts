/** Which file a setting comes from, for messages. */
import { CombinedSources } from "../sources"

/** By source (a path, or the name of a variable), in the order in which OpenCode read them. */
const read = new Map<string, unknown>()

export function remember(source: string, parsed: unknown) {
  read.delete(source)
  read.set(source, parsed)
}

/** All sources with their content, in the order in which OpenCode read them. */
export const all = (): readonly (readonly [string, unknown])[] => [...read]

/** The last source that has this value for the key. */
export const of = (key: readonly string[], value: unknown) => CombinedSources.find(all(), key, value)

export * as CombinedOrigin from "./origin"
