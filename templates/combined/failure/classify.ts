/**
 * What a failure of a provider is about, and how long it lasts: the kind decides what to do.
 *
 * Pure: takes an error of the AI SDK, bun or the operating system, and returns a `Failure`. The user's cancel
 * interrupts a turn and never gets here.
 */
import { CombinedRedact } from "./redact"
import { CombinedRetryAfter } from "./retry-after"
import { rules, type Rule } from "./rules"

/** Kinds after which a member is avoided for a while. */
export const KINDS = [
  "rate_limit",
  "quota",
  "overload",
  "server",
  "auth",
  "missing",
  "network",
  "timeout",
  /** No rule matches: one more member is asked before it is believed. */
  "unknown",
] as const

export type Kind = (typeof KINDS)[number]

/** `provider`: every model of that provider is affected, as by bad credentials or a dead host. */
export type Scope = "model" | "provider"

/** A failure after which a member is avoided. */
export type Failure = {
  readonly kind: Kind
  readonly scope: Scope
  readonly message: string
  readonly status?: number
  /** Milliseconds from now, as requested by the provider. */
  readonly retryAfter?: number
  /** The member will not recover within a moment, though failures of this kind often are short. */
  readonly lasting?: boolean
  /** This request alone exceeds the limit: if no other member is left, it is too long. */
  readonly long?: boolean
}

/**
 * The parts of a history that a member may refuse, and is then asked without: thoughts, items stored or encrypted for
 * an account, the ids of calls.
 */
export const FORGOABLE = ["thinking", "items", "calls"] as const

export type Forgone = (typeof FORGOABLE)[number]

type Said = { readonly message: string; readonly status?: number }

/**
 * What an error means. After a `Failure` another member may help; for an unknown one that shows when another is asked.
 * The others do not blame the member: `too_long` needs one with more room, `history` the same one without a part of the
 * history; `final` is the request's own fault with every member.
 */
export type Fault =
  | Failure
  | (Said & { readonly kind: "too_long" })
  | (Said & { readonly kind: "history"; readonly forgo: Forgone })
  | (Said & { readonly kind: "final" })

/** Failures of these kinds are often short: then a retry is better than switching. */
const PASSING: readonly Kind[] = ["overload", "server", "network", "timeout"]

export function passes(failure: Failure) {
  return PASSING.includes(failure.kind) && !failure.lasting && failure.retryAfter === undefined
}

export function cools(fault: Fault): fault is Failure {
  return KINDS.some((kind) => kind === fault.kind)
}

/** Kinds that are about a limit: only for these are reset headers of used-up limits and times in the text used. */
const LIMITED: readonly Rule["kind"][] = ["rate_limit", "quota", "overload"]

/**
 * Reads an error that is not the user's cancel.
 *
 * @param more.inside an error event in an answer that had begun, as the provider sent it; SDKs pass on no more than its
 *   words, and not always those
 * @param more.overflow the host's own knowledge says that the conversation is too long
 */
export function fault(
  error: unknown,
  now = Date.now(),
  more: { readonly inside?: { readonly event: unknown }; readonly overflow?: boolean } = {},
): Fault {
  const seen = collect(more.inside ? { cause: error, data: more.inside.event } : error)
  const found = rules.find((rule) => matches(rule, seen)) ?? byStatus(seen.status)
  const said = {
    message: summary(seen) ?? NOTHING,
    ...(seen.status === undefined ? {} : { status: seen.status }),
  }
  if (found.kind === "unknown" && more.overflow) return { kind: "too_long", ...said }
  if (found.kind === "too_long" || found.kind === "final") return { kind: found.kind, ...said }
  if (found.kind === "history") return { kind: "history", forgo: found.forgo ?? "thinking", ...said }
  const named = CombinedRetryAfter.read(
    { headers: seen.headers, texts: seen.texts, limit: LIMITED.includes(found.kind), zone: found.zone },
    now,
  )
  // With a daily limit, Google also sends its client's pause of less than a minute.
  const isPause = found.kind === "quota" && (named ?? 0) < 60_000 && seen.texts.some((text) => DELAY.test(text))
  const retryAfter = isPause ? undefined : named
  return {
    kind: found.kind,
    scope: found.scope,
    ...said,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(found.lasting && { lasting: true }),
    ...(found.long && { long: true }),
  }
}

const DELAY = /^"retryDelay"/

/** Other errors of the server, and a redirect that leads nowhere. Unknown errors are not believed at once. */
function byStatus(status: number | undefined): Omit<Rule, "source"> {
  const isServers = status !== undefined && (status >= 500 || status < 400)
  return { kind: isServers ? "server" : "unknown", scope: "model" }
}

const NOTHING = "unknown failure"

/** The message of an error, in one line. */
export function describe(error: unknown) {
  return said(error) ?? NOTHING
}

/** The same, undefined if there is none. */
export function said(error: unknown) {
  return summary(collect(error))
}

/** What an error says about itself, anywhere in it. */
type Seen = {
  status?: number
  /** What identifies the error: codes, types, names, reasons, in lower case. */
  readonly codes: Set<string>
  /** Sentences. */
  readonly texts: string[]
  headers: Record<string, string>
  /** The answer was an HTML page: from a proxy, which knows nothing about the account. */
  page: boolean
}

/** An AI SDK error wraps the real one in `cause`, `lastError` or `error`, and the body of an answer is nested itself. */
const DEPTH = 8

/** Fields that identify an error. OpenAI, Google, Anthropic, AWS, Alibaba, Z.ai and MiniMax each have their own. */
const CODES = ["code", "type", "__type", "name", "status", "reason", "error_code", "errorCode", "quotaId", "domain"]

const SENTENCES = [
  "message",
  "msg",
  "status_msg",
  "error_msg",
  "errorMessage",
  "error_message",
  "errmsg",
  "error_description",
  "detail",
  "details",
  "title",
  "body",
  "raw",
]

/** When a limit ends, as numbers beside the message. */
const TIMES = ["resets_in_seconds", "resets_at", "retry_after", "retryAfter", "retry_after_seconds"]

/** Where an error may contain another one. Other fields may have the user's own words, and are not read. */
const INSIDE = [
  "lastError",
  "cause",
  "error",
  "errors",
  "data",
  "response",
  "responseBody",
  "metadata",
  "violations",
  "base_resp",
  "innererror",
  "value",
  ...SENTENCES,
]

function collect(error: unknown): Seen {
  const seen: Seen = { codes: new Set(), texts: [], headers: {}, page: false }
  const visited = new Set<unknown>()
  const read = (text: string, depth: number) => {
    if (!text.trim()) return
    const nested = parsed(text)
    if (nested !== undefined) return visit(nested, depth - 1)
    if (/^\s*<(?:!doctype|html|head|body)/i.test(text)) seen.page = true
    seen.texts.push(text.replaceAll("’", "'"))
  }
  const visit = (value: unknown, depth: number): void => {
    if (depth === 0 || visited.has(value)) return
    if (typeof value === "string") return read(value, depth)
    if (typeof value !== "object" || value === null) return
    visited.add(value)
    if (Array.isArray(value)) return value.forEach((item) => visit(item, depth))
    const item = value as Record<string, unknown>
    seen.status ??= statusOf(item)
    for (const key of CODES) {
      const code = item[key]
      if (typeof code === "string" && code) seen.codes.add(code.toLowerCase())
      if (typeof code === "number") seen.codes.add(String(code))
    }
    // MiniMax has its own error numbers, which mean other things elsewhere.
    const minimax = isObject(item.base_resp) ? item.base_resp.status_code : undefined
    if (minimax && (typeof minimax === "number" || typeof minimax === "string")) seen.codes.add(`base_resp:${minimax}`)
    for (const key of TIMES) if (typeof item[key] === "number") seen.texts.push(`"${key}":${item[key]}`)
    if (typeof item.retryDelay === "string") seen.texts.push(`"retryDelay":"${item.retryDelay}"`)
    for (const headers of [item.responseHeaders, item.headers])
      if (isHeaders(headers)) seen.headers = { ...headers, ...seen.headers }
    // AWS names the error in a header, or by the key that contains it.
    const kind = seen.headers["x-amzn-errortype"]?.split(":")[0]
    if (kind) seen.codes.add(kind.toLowerCase())
    const named = Object.keys(item).filter((key) => key.endsWith("Exception") && item[key])
    named.forEach((key) => seen.codes.add(key.toLowerCase()))
    // Of several attempts only the last one counts.
    const inside = item.lastError === undefined ? [...INSIDE, ...named] : ["lastError"]
    for (const key of inside) visit(item[key], depth - 1)
  }
  visit(error, DEPTH)
  return seen
}

/** An error event inside a stream may carry the HTTP status as its code, also as text: OpenRouter, Google and LiteLLM do. */
function statusOf(item: Record<string, unknown>) {
  const found = [item.statusCode, item.status_code, item.status, item.code].map((value) =>
    typeof value === "string" && /^[345]\d\d$/.test(value) ? Number(value) : value,
  )
  return found.find((value): value is number => typeof value === "number" && value >= 300 && value < 600)
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Everything that a rule names must match; of the codes, one is enough. */
function matches(rule: Rule, seen: Seen) {
  if (rule.status && !(seen.status !== undefined && rule.status.includes(seen.status))) return false
  if (rule.page && !seen.page) return false
  const known = rule.code?.some((code) => seen.codes.has(code.toLowerCase()))
  const said = rule.text && [...seen.texts, ...seen.codes].some((item) => rule.text?.test(item))
  if (rule.except && seen.texts.some((item) => rule.except?.test(item))) return false
  if (!rule.code && !rule.text) return rule.status !== undefined || rule.page === true
  return (known || said) === true
}

/** What bun adds to a failed fetch is meant for programmers. */
const BUN_HINT = /\.? For more information, pass `verbose: true` in the second argument to fetch\(\)/

function summary(seen: Seen) {
  const [first, ...more] = seen.texts.filter((item) => !/^"\w+":/.test(item))
  // SDKs that cannot read a body use the status text instead.
  const best = first !== undefined && !/\s/.test(first.trim()) ? (more.find((item) => /\s/.test(item)) ?? first) : first
  const raw = best ?? [...seen.codes].at(0)
  if (raw === undefined) return seen.status === undefined ? undefined : String(seen.status)
  const text = CombinedRedact.redact(raw.replace(/\s+/g, " ").replace(BUN_HINT, "").trim())
  const short = text.length > 160 ? text.slice(0, 157) + "..." : text
  return seen.status === undefined || short.includes(String(seen.status)) ? short : `${seen.status} ${short}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}

function isHeaders(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((item) => typeof item === "string")
}

export * as CombinedFailure from "./classify"
