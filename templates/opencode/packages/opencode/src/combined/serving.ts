/** Which provider `opencode run` last said is serving. Kept in the map in which upstream keeps what it has printed. */

const PREFIX = "serving:"

export function changed(printed: Map<string, boolean>, providerID: string) {
  const key = PREFIX + providerID
  if (printed.has(key)) return false
  for (const other of [...printed.keys()].filter((item) => item.startsWith(PREFIX))) printed.delete(other)
  printed.set(key, true)
  return true
}

export * as CombinedServing from "./serving"
