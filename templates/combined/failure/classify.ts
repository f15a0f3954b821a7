/**
 * Which failures of a provider another provider of the same model may cure.
 *
 * Pure: an error as the AI SDK, bun or the operating system raises it goes in, a `Failure` comes out, or undefined
 * when the failure is not the provider's (the user's cancel, a request that is wrong in itself).
 */
import { rules, type Rule } from "./rules"
import { CombinedRetryAfter } from "./retry-after"

export const KINDS = [
  "rate_limit",
  "quota",
  "overload",
  "server",
  "auth",
  "missing",
  "network",
  "timeout",
  "unknown",
] as const

export type Kind = (typeof KINDS)[number]

/** `provider`: every model of that provider is affected, as by bad credentials or a dead host. */
export type Scope = "model" | "provider"

export type Failure = {
  readonly kind: Kind
  readonly scope: Scope
  readonly message: string
  readonly status?: number
  /** Milliseconds from now, as the provider asked. */
  readonly retryAfter?: number
  /** The member will not be well a moment later, though failures of this kind often pass. */
  readonly lasting?: boolean
}

/**
 * What of a history a member may refuse, and is then asked without: signed thinking, or what is stored or encrypted for
 * another account.
 */
export type Forgone = "thinking" | "items"

/**
 * What an error comes to. A `Failure` may be cured by another member; of an unknown one that shows when another is asked.
 * `too_long` needs a member with more room, `history` the same member without a part of the history. `final` is the
 * request's own fault, whoever is asked.
 */
export type Fault =
  | Failure
  | { readonly kind: "too_long"; readonly message: string; readonly status?: number }
  | { readonly kind: "history"; readonly forgo: Forgone; readonly message: string; readonly status?: number }
  | { readonly kind: "final"; readonly message: string; readonly status?: number }

/** Failures of these kinds often pass in a moment: then asking again is better than leaving the member. */
const PASSING: readonly Kind[] = ["overload", "server", "network", "timeout"]

export function passes(failure: Failure) {
  return PASSING.includes(failure.kind) && !failure.lasting && failure.retryAfter === undefined
}

/** OpenRouter refuses a content with the status of a bad login. */
const MODERATION = /requires moderation|flagged for|flagged_input/i

/** What an event says that finds fault with the request, which is the same for whoever is asked. */
const FAULTED =
  /invalid[_ ]?(?:prompt|request|argument)|validation|polic(?:y|ies)|safety|content[_ ]?(?:filter|management)|moderation|flagged|prohibited/i

/**
 * @param inside an error event in an answer that had begun, as the provider sent it; SDKs pass on no more than its words,
 *   and not always those
 */
export function classify(error: unknown, now = Date.now(), inside?: { readonly event: unknown }): Failure | undefined {
  const facts = collect(inside ? { cause: error, data: inside.event } : error)
  if (facts.aborted || (facts.status === 403 && says(facts, MODERATION))) return undefined
  const broken = isServers(facts.status) || (inside && facts.status === undefined && !says(facts, FAULTED))
  const found = rules.find((item) => matches(item, facts)) ?? (broken ? server : undefined)
  if (!found) return undefined
  const retryAfter = CombinedRetryAfter.read(facts.headers, LIMITED.includes(found.kind) ? facts.texts : [], now)
  return {
    kind: found.kind,
    scope: found.scope,
    message: summary(facts),
    ...(facts.status === undefined ? {} : { status: facts.status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(found.lasting && { lasting: true }),
  }
}

/**
 * Reads an error that is not the user's cancel.
 *
 * @param more.inside as for `classify`
 * @param more.overflow the host's own knowledge says that the conversation is too long
 */
export function fault(
  error: unknown,
  now = Date.now(),
  more: { readonly inside?: { readonly event: unknown }; readonly overflow?: boolean } = {},
): Fault {
  const facts = collect(more.inside ? { cause: error, data: more.inside.event } : error)
  const said = { message: summary(facts), ...(facts.status === undefined ? {} : { status: facts.status }) }
  const known = classify(error, now, more.inside)
  if (known) return known
  if (more.overflow) return { kind: "too_long", ...said }
  if (says(facts, SIGNATURE)) return { kind: "history", forgo: "thinking", ...said }
  if (facts.aborted) return { kind: "timeout", scope: "model", ...said }
  if (says(facts, MODERATION) || says(facts, FAULTED)) return { kind: "final", ...said }
  return { kind: "unknown", scope: "model", ...said }
}

/** The words are those of Anthropic's and Google's APIs, which the other platforms pass on. */
const SIGNATURE =
  /invalid `?signature`? in `?thinking`? block|expected `?thinking`? or `?redacted_thinking`?|\bthought[_ ]signature/i

/** Failures whose text is worth reading for a time. */
const LIMITED: readonly Kind[] = ["rate_limit", "quota", "overload"]

const server: Pick<Rule, "kind" | "scope" | "lasting"> = { kind: "server", scope: "model" }

/** Other errors of the server, and a redirect that leads nowhere. */
function isServers(status: number | undefined) {
  return status !== undefined && (status >= 500 || status < 400)
}

/** What an error says, in a line. */
export function describe(error: unknown) {
  return summary(collect(error))
}

type Facts = {
  aborted: boolean
  status?: number
  codes: string[]
  texts: string[]
  headers: Record<string, string>
}

/** When a limit of a ChatGPT plan ends, as numbers beside the message. */
const RESETS = ["resets_in_seconds", "resets_at"]

/** An AI SDK error wraps the real one in `cause`, `lastError` or `error`; deeper levels have never been seen to help. */
const DEPTH = 5

function collect(error: unknown): Facts {
  const facts: Facts = { aborted: false, codes: [], texts: [], headers: {} }
  const visit = (value: unknown, depth: number) => {
    if (depth === 0) return
    if (typeof value === "string") facts.texts.push(value)
    if (typeof value !== "object" || value === null) return
    const item = value as Record<string, unknown>
    if (item.name === "AbortError") facts.aborted = true
    for (const key of ["message", "name", "type", "status", "responseBody"]) {
      const text = item[key]
      if (typeof text === "string" && text) facts.texts.push(key === "type" ? `"type":"${text}"` : text)
    }
    for (const key of RESETS) if (typeof item[key] === "number") facts.texts.push(`"${key}":${item[key]}`)
    if (typeof item.code === "string") facts.codes.push(item.code)
    // An error event inside a stream may carry the HTTP status as its code: OpenRouter and Google do.
    const status = [item.statusCode, item.status, item.code].find((value) => typeof value === "number" && value >= 300)
    if (facts.status === undefined && typeof status === "number" && status < 600) facts.status = status
    if (isHeaders(item.responseHeaders)) facts.headers = { ...item.responseHeaders, ...facts.headers }
    // Bedrock names the error by the key that holds it.
    const named = Object.keys(item).filter((key) => key.endsWith("Exception") && item[key])
    facts.codes.push(...named)
    for (const key of ["lastError", "cause", "error", "data", "response", ...named]) visit(item[key], depth - 1)
  }
  visit(error, DEPTH)
  return facts
}

function matches(rule: Rule, facts: Facts) {
  if (rule.code) return facts.codes.some((code) => rule.code?.includes(code))
  if (rule.status) {
    const meant = facts.status !== undefined && rule.status.includes(facts.status)
    return meant && (!rule.text || says(facts, rule.text))
  }
  // A client error other than those above is a request that is wrong in itself, whatever its text says; the exceptions
  // are rules of their own: Anthropic reports an empty balance as 400, Groq a retired model.
  if (!rule.client && facts.status !== undefined && facts.status >= 400 && facts.status < 500) return false
  return rule.text !== undefined && says(facts, rule.text)
}

function says(facts: Facts, text: RegExp) {
  return [...facts.texts, ...facts.codes].some((item) => text.test(item))
}

/** What bun adds to a failed fetch is for whoever writes the program. */
const BUN_HINT = /\.? For more information, pass `verbose: true` in the second argument to fetch\(\)/

function summary(facts: Facts) {
  const text = (facts.texts.find((item) => item.trim()) ?? facts.codes[0] ?? "unknown failure")
    .replace(/\s+/g, " ")
    .replace(BUN_HINT, "")
    .trim()
  const short = text.length > 160 ? text.slice(0, 157) + "..." : text
  return facts.status === undefined || short.includes(String(facts.status)) ? short : `${facts.status} ${short}`
}

function isHeaders(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "string")
}

export * as CombinedFailure from "./classify"
