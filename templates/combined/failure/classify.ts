/**
 * What a failure of a provider is about, and how long it lasts. Its kind decides what to do.
 *
 * Pure: takes an error of the AI SDK, bun or the operating system, and returns a `Fault`. The user's cancel interrupts
 * a turn and never gets here.
 */
import { collect, sentence, type Seen } from "./collect"
import { CombinedRedact } from "./redact"
import { CombinedRetryAfter } from "./retry-after"
import { rules, type Rule } from "./rules"

/** Kinds of failures after which a member is avoided for a while. */
export const KINDS = [
  "rate_limit",
  "quota",
  "overload",
  "server",
  "auth",
  "missing",
  "network",
  "timeout",
  /** No rule matches. One more member is asked before this is believed. */
  "unknown",
] as const

export type Kind = (typeof KINDS)[number]

/** `provider`: every model of that provider is affected, as with bad credentials or a dead host. */
export type Scope = "model" | "provider"

/** A failure after which a member is avoided. */
export type Failure = {
  readonly kind: Kind
  readonly scope: Scope
  /** What the failure is about, if not the provider itself: then other credentials may help. */
  readonly about?: "account" | "plan"
  readonly message: string
  readonly status?: number
  /** Milliseconds from now, as requested by the provider. */
  readonly retryAfter?: number
  /** The limit may end before the given time, if the plan is changed or credits are bought. */
  readonly early?: boolean
  /** The member will not recover in a moment, although members often do after a failure of this kind. */
  readonly lasting?: boolean
  /** This request alone exceeds the limit: if no other member is left, it is too long. */
  readonly long?: boolean
}

/**
 * The parts of a history that a member may refuse and is then asked without: thoughts, items stored or encrypted for an
 * account, the ids of calls.
 */
export const FORGOABLE = ["thinking", "items", "calls"] as const

export type Forgone = (typeof FORGOABLE)[number]

type Said = { readonly message: string; readonly status?: number }

/**
 * What an error means. After a `Failure` another member may help; with the kind "unknown", asking another one shows
 * whether it does. The other faults do not blame the member: `too_long` needs a member with more room, `history` the
 * same member without a part of the history, and `final` is the request's own fault and fails with every member.
 */
export type Fault =
  | Failure
  | (Said & { readonly kind: "too_long" })
  | (Said & { readonly kind: "history"; readonly forgo: Forgone })
  | (Said & {
      readonly kind: "final"
      /**
       * A model refuses the content: before its answer, or at the end of an answer that upstream would store as it is.
       */
      readonly refusal?: "error" | "answer"
    })

/** Failures of these kinds are often short: a retry is then better than switching. */
const PASSING: readonly Kind[] = ["overload", "server", "network", "timeout"]

export function passes(failure: Failure) {
  return PASSING.includes(failure.kind) && !failure.lasting && failure.retryAfter === undefined
}

export function cools(fault: Fault): fault is Failure {
  return KINDS.some((kind) => kind === fault.kind)
}

/** Kinds that are about a limit. Only for these, reset headers of used-up limits and times in the text count. */
const LIMITED: readonly Rule["class"][] = ["rate_limit", "quota", "overload"]

/** What is known besides the error itself. */
export type More = {
  /** An error event inside an answer, as the provider sent it. SDKs only pass on its message. */
  readonly inside?: { readonly event: unknown }
  /** The host itself knows that the conversation is too long. */
  readonly overflow?: boolean
  /** The user's own rows, which take precedence. */
  readonly own?: readonly Rule[]
}

/** Reads an error that is not the user's cancel. */
export function fault(error: unknown, now = Date.now(), more: More = {}): Fault {
  return explain(error, now, more).fault
}

/** The same, with the id of the row that decided; undefined if only the status did. */
export function explain(
  error: unknown,
  now = Date.now(),
  more: More = {},
): { readonly fault: Fault; readonly row: string | undefined } {
  // The vendor's own event says more than the error that an SDK makes of it.
  const seen = collect(more.inside ? [more.inside.event, error] : error)
  const said = [...seen.texts, ...seen.codes, ...seen.spelled]
  const decides = (rule: Rule) => matches(rule, seen, said, more.inside !== undefined)
  const row = more.own?.find(decides) ?? rules.find(decides)
  return { fault: read(row ?? byStatus(seen.status), seen, now, more), row: row?.id }
}

function read(found: Omit<Rule, "id">, seen: Seen, now: number, more: More): Fault {
  const said = {
    message: summary(seen) ?? NOTHING,
    ...(seen.status === undefined ? {} : { status: seen.status }),
  }
  if (found.class === "unknown" && more.overflow) return { kind: "too_long", ...said }
  if (found.class === "too_long") return { kind: "too_long", ...said }
  if (found.class === "final") return { kind: "final", ...said, ...(found.refusal && { refusal: "error" }) }
  if (found.class === "history") return { kind: "history", forgo: found.without ?? "thinking", ...said }
  const limit = LIMITED.includes(found.class)
  const { headers, texts } = seen
  const named = CombinedRetryAfter.read({ headers, texts, limit, zone: found.zone, places: found.time }, now)
  // Google also sends a pause of less than a minute for a daily limit. It is meant for Google's own client.
  const isPause = found.class === "quota" && (named ?? 0) < 60_000 && texts.some((text) => DELAY.test(text))
  const retryAfter = isPause ? undefined : named
  const isLong = found.class === "rate_limit" && retryAfter !== undefined && retryAfter >= SHORT
  return {
    kind: isLong ? "quota" : found.class,
    scope: found.scope === "model" ? "model" : "provider",
    ...((found.scope === "account" || found.scope === "plan") && { about: found.scope }),
    ...said,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(found.early && { early: true }),
    ...(found.lasting && { lasting: true }),
    ...(found.long && { long: true }),
  }
}

const DELAY = /^"retryDelay"/

/** A rate limit that ends later than this is a quota, whatever the vendor calls it. */
const SHORT = 3_600_000

/** Used if no row matches. Server errors, and redirects that lead nowhere, are `server`; anything else is `unknown`. */
function byStatus(status: number | undefined): Omit<Rule, "id"> {
  const isServers = status !== undefined && (status >= 500 || status < 400)
  return { class: isServers ? "server" : "unknown", scope: "model" }
}

/** All conditions of the row must hold, but of its codes and words only one. */
function matches(rule: Rule, seen: Seen, said: readonly string[], inside: boolean) {
  if (rule.status && !rule.status.includes(seen.status ?? 0)) return false
  if (rule.page && !seen.page) return false
  if (rule.event && !inside) return false
  const headers = Object.entries(rule.header ?? {})
  if (headers.some(([name, value]) => !holds(seen.headers[name], value))) return false
  if (rule.denies && seen.texts.some((item) => rule.denies?.test(item))) return false
  if (!rule.code && !rule.says && !rule.plain) return true
  if (rule.code?.some((code) => seen.codes.has(code))) return true
  if (rule.says && said.some((item) => rule.says?.test(item))) return true
  return rule.plain?.some((text) => said.some((item) => item.toLowerCase().includes(text))) === true
}

function holds(found: string | undefined, value: string) {
  const text = found?.trim().toLowerCase()
  return value.endsWith("*") ? text?.startsWith(value.slice(0, -1)) === true : text === value
}

const NOTHING = "unknown failure"

/** The message of an error, in one line. */
export function describe(error: unknown) {
  return said(error) ?? NOTHING
}

/** The same; undefined if there is none. */
export function said(error: unknown) {
  return summary(collect(error))
}

/** How much of a sentence is shown. */
const SHOWN = 160

function summary(seen: Seen) {
  const raw = sentence(seen)
  if (raw === undefined) return seen.status === undefined ? undefined : String(seen.status)
  const text = CombinedRedact.redact(raw)
  const short = text.length > SHOWN ? text.slice(0, SHOWN - 3) + "..." : text
  return seen.status === undefined || short.includes(String(seen.status)) ? short : `${seen.status} ${short}`
}

export * as CombinedFailure from "./classify"
