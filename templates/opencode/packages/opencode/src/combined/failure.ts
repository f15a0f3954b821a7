/**
 * Which failures of a provider another provider of the same model may cure.
 *
 * Pure: an error as the AI SDK, bun or the operating system raises it goes in, a `Failure` comes out, or undefined
 * when the failure is not the provider's (the user's cancel, a request that is wrong in itself).
 */
import { CombinedReset } from "./reset"

export const KINDS = ["rate_limit", "quota", "overload", "server", "auth", "missing", "network", "timeout"] as const

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

/** Failures of these kinds often pass in a moment: then asking again is better than leaving the member. */
const PASSING: readonly Kind[] = ["overload", "server", "network", "timeout"]

export function passes(failure: Failure) {
  return PASSING.includes(failure.kind) && !failure.lasting && failure.retryAfter === undefined
}

type Rule = {
  readonly kind: Kind
  readonly scope: Scope
  readonly status?: readonly number[]
  readonly code?: readonly string[]
  readonly text?: RegExp
  readonly lasting?: boolean
  /** Holds for errors of the client too (4xx), which else are a request that is wrong in itself. */
  readonly client?: boolean
  readonly source: string
}

/** The first rule that matches decides. `text` is matched against message, code and response body together. */
const rules: readonly Rule[] = [
  {
    kind: "quota",
    scope: "provider",
    client: true,
    text: /insufficient_quota|credit balance is too low|usagelimiterror|billing_hard_limit|quota[ _]exceeded|exceeded your current quota/i,
    source: "OpenAI and Anthropic error references; FreeUsageLimitError and GoUsageLimitError of OpenCode Zen",
  },
  {
    kind: "missing",
    scope: "model",
    client: true,
    text: /model_not_found|model_decommissioned|DeploymentNotFound|\bmodel\b[^.]{0,80}\b(?:does not exist|has been (?:decommissioned|deprecated|retired)|was retired|is not supported when using)\b/i,
    source: "400 and 404 of OpenAI, Groq, Azure and ChatGPT plans",
  },
  {
    kind: "quota",
    scope: "provider",
    status: [402],
    source: "RFC 9110 15.5.3; GitHub Copilot sends it without headers",
  },
  { kind: "rate_limit", scope: "model", status: [429], source: "RFC 6585 4" },
  { kind: "auth", scope: "provider", status: [401, 403], source: "RFC 9110 15.5.2 and 15.5.4" },
  { kind: "missing", scope: "model", status: [404, 410], source: "RFC 9110 15.5.5 and 15.5.11" },
  { kind: "timeout", scope: "model", status: [408], source: "RFC 9110 15.5.9" },
  { kind: "overload", scope: "model", status: [503, 529], source: "RFC 9110 15.6.4; Anthropic overloaded_error" },
  {
    kind: "overload",
    scope: "model",
    text: /overloaded|service_unavailable|server is busy|resource_exhausted|capacity exceeded/i,
    source: "error events inside a 200 stream: Anthropic, Google, DeepSeek",
  },
  {
    kind: "rate_limit",
    scope: "model",
    text: /rate_limit|rate limit|too_many_requests|too many requests|rate increased too quickly/i,
    source: "error events inside a 200 stream: OpenAI, Alibaba",
  },
  {
    kind: "server",
    scope: "model",
    text: /\bserver_error\b|internal_server_error|"type"\s*:\s*"api_error"/i,
    source: "error events inside a 200 stream: OpenAI server_error, Anthropic api_error",
  },
  {
    kind: "network",
    scope: "provider",
    lasting: true,
    code: [
      "ConnectionRefused",
      "FailedToOpenSocket",
      "ECONNREFUSED",
      "EHOSTUNREACH",
      "ENETUNREACH",
      "ENOTFOUND",
      "EAI_AGAIN",
      "CERT_HAS_EXPIRED",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    source: "bun and Node system error codes",
  },
  {
    kind: "network",
    scope: "provider",
    code: ["ConnectionClosed", "ECONNRESET", "ECONNABORTED", "EPIPE", "UND_ERR_SOCKET", "ZlibError"],
    source: "bun and Node system error codes",
  },
  {
    kind: "timeout",
    scope: "model",
    code: ["ConnectionTimeout", "ETIMEDOUT"],
    source: "bun and Node system error codes",
  },
  {
    kind: "timeout",
    scope: "model",
    text: /\btimed? ?out\b|TimeoutError/i,
    source: "fetch and upstream's own timeouts",
  },
  {
    kind: "network",
    scope: "provider",
    lasting: true,
    text: /unable to connect|connection refused/i,
    source: "messages of bun's fetch and of undici",
  },
  {
    kind: "server",
    scope: "model",
    text: /AI_JSONParseError|AI_TypeValidationError|AI_InvalidResponseDataError/,
    source: "events that the AI SDK cannot read",
  },
  {
    kind: "network",
    scope: "provider",
    text: /ProviderResponseStreamError|socket connection was closed|connection (?:reset|closed)|fetch failed|network error|terminated/i,
    source: "messages of bun's fetch and of undici; upstream's error for a broken stream",
  },
]

export function classify(error: unknown, now = Date.now()): Failure | undefined {
  const facts = collect(error)
  if (facts.aborted) return undefined
  const rule = rules.find((item) => matches(item, facts))
  const found = rule ?? (facts.status !== undefined && facts.status >= 500 ? server : undefined)
  if (!found) return undefined
  const retryAfter = CombinedReset.read(facts.headers, LIMITED.includes(found.kind) ? facts.texts : [], now)
  return {
    kind: found.kind,
    scope: found.scope,
    message: summary(facts),
    ...(facts.status === undefined ? {} : { status: facts.status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(found.lasting && { lasting: true }),
  }
}

/** Failures whose text is worth reading for a time. */
const LIMITED: readonly Kind[] = ["rate_limit", "quota", "overload"]

const server: Pick<Rule, "kind" | "scope" | "lasting"> = { kind: "server", scope: "model" }

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
    if (typeof item.code === "string") facts.codes.push(item.code)
    // An error event inside a stream may carry the HTTP status as its code: OpenRouter and Google do.
    const status = [item.statusCode, item.status, item.code].find((value) => typeof value === "number" && value >= 400)
    if (facts.status === undefined && typeof status === "number" && status < 600) facts.status = status
    if (isHeaders(item.responseHeaders)) facts.headers = { ...item.responseHeaders, ...facts.headers }
    for (const key of ["lastError", "cause", "error", "data"]) visit(item[key], depth - 1)
  }
  visit(error, DEPTH)
  return facts
}

function matches(rule: Rule, facts: Facts) {
  if (rule.status) return facts.status !== undefined && rule.status.includes(facts.status)
  if (rule.code) return facts.codes.some((code) => rule.code?.includes(code))
  // A client error other than those above is a request that is wrong in itself, whatever its text says; the exceptions
  // are rules of their own: Anthropic reports an empty balance as 400, Groq a retired model.
  if (!rule.client && facts.status !== undefined && facts.status >= 400 && facts.status < 500) return false
  return [...facts.texts, ...facts.codes].some((text) => rule.text?.test(text))
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

export * as CombinedFailure from "./failure"
