/** Removes keys and logins that a provider echoes in its response, before the response is stored, shown or shared. */

const HIDDEN = "[redacted]"

/** Anything shorter may occur in a text by chance. */
const SHORTEST = 8

/** What keys look like: vendors' prefixes, JSON web tokens, and values after words such as "key". */
const KEYS = [
  /\b(?:sk|gsk|csk)-[\w-]{8,}/g,
  /\b(?:gsk|hf|r8|ghp|gho|ghu|ghs|github_pat|sk|pk|rk)_\w{16,}/g,
  /\b(?:xai|pplx|nvapi|glpat|tgp_v1)[-_][A-Za-z0-9]{20,}/g,
  /\bA[KS]IA[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bya29\.[\w-]{8,}/g,
  // Only at the start of a word that has a second part: otherwise "-eyJ-eyJ…" would take quadratic time.
  /(?<![\w-])(?=[\w-]+\.[\w-]{4,})(?:[\w-]*?-)??eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
]

const AFTER = [
  /(\bBearer\s+)[\w.~+/=-]{8,}/gi,
  /(\b(?:x-)?api[-_]?key["']?\s*[:=]\s*["']?)[^\s"',;&]{8,}/gi,
  /([?&](?:key|api_key|apikey|access_token|token|sig|signature)=)[^\s"'&#]+/gi,
  /(:\/\/)[^/?#\s"'@]+(?=@)/g,
]

/** `secrets` are those that were sent; they are found whatever they look like. */
export function redact(text: string, secrets: readonly string[] = []) {
  const known = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .toSorted((one, other) => other.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
  const keys = KEYS.reduce((rest, pattern) => rest.replace(pattern, HIDDEN), known)
  return AFTER.reduce((rest, pattern) => rest.replace(pattern, `$1${HIDDEN}`), keys)
}

/** Anything deeper than this in an error is replaced as a whole. */
const DEPTH = 12

/** The request as it was sent. It is long and contains nothing from the provider. */
const ASKED = "requestBodyValues"

/**
 * Redacts everything in a failure. An error is changed in place, to keep its class. Anything else that is not plain
 * data, such as a client's own object, is left as it is.
 */
export function within(value: unknown, secrets: readonly string[] = []): unknown {
  const seen = new Map<object, unknown>()
  const visit = (item: unknown, depth: number): unknown => {
    if (typeof item === "string") return redact(item, secrets)
    if (typeof item !== "object" || item === null) return item
    if (seen.has(item)) return seen.get(item)
    if (depth === 0) return HIDDEN
    if (Array.isArray(item)) {
      const copy: unknown[] = []
      seen.set(item, copy)
      for (const one of item) copy.push(visit(one, depth - 1))
      return copy
    }
    if (item instanceof Error) {
      seen.set(item, item)
      for (const key of Object.getOwnPropertyNames(item))
        if (key !== ASKED) Reflect.set(item, key, visit(Reflect.get(item, key), depth - 1))
      return item
    }
    const prototype: unknown = Object.getPrototypeOf(item)
    if (prototype !== Object.prototype && prototype !== null) return item
    const copy: Record<string, unknown> = {}
    seen.set(item, copy)
    for (const [key, one] of Object.entries(item))
      Object.defineProperty(copy, redact(key, secrets), {
        value: key === ASKED ? one : visit(one, depth - 1),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    return copy
  }
  return visit(value, DEPTH)
}

const TELLING = /auth|key|token|secret|cookie|password/i

/** The secrets of a request, from its headers and its address, whole, in pieces and encoded. */
export function sent(url: string, headers: Iterable<readonly [string, string]>) {
  const values = [...headers].filter(([name]) => TELLING.test(name)).map(([, value]) => value)
  const address = URL.canParse(url) ? new URL(url) : undefined
  const named = [...(address?.searchParams ?? [])].filter(([name]) => TELLING.test(name)).map(([, value]) => value)
  const login = address ? [address.password, decoded(address.password)] : []
  const pieces = values.flatMap((value) => value.split(/[\s,;=]+/))
  return [
    ...new Set([...values, ...pieces, ...named, ...login].flatMap((item) => [item, encodeURIComponent(item)])),
  ].filter((item) => item.length >= SHORTEST)
}

function decoded(text: string) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export * as CombinedRedact from "./redact"
