export * as Identifier from "./id"

let last = 0

/** An id that sorts behind all that were made before it. */
export function ascending(prefix: string) {
  last = Math.max(last + 1, Date.now() * 1000)
  return `${prefix}_${last.toString(36)}${Math.random().toString(36).slice(2, 8)}`
}
