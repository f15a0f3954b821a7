/** Unchecked values, such as parsed JSON. Pure. */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}

/** The value of a JSON text; undefined if it is not valid. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export * as CombinedValue from "./value"
